import { SkullError } from '../../model/errors.ts';
import { Type } from '../../model/type.ts';
import type { Character } from '../character.ts';
import type { FullAuto } from '../fullauto/fullauto.ts';
import { StartedCycle } from '../fullauto/status.ts';
import { define, type Operation } from './operation.ts';

const nothing = { schema: Type.Object({}, { additionalProperties: false }), example: {}, absent: {} };
const success = (description: string) => ({
  status: 200,
  description,
  schema: StartedCycle,
  example: { cycle_id: 'k3v9', steps: ['song', 'accueil', 'ia'] },
});

/** Throws `unavailable` where no flow lends one. */
function fullautoOf({ fullauto }: Character): FullAuto {
  if (fullauto === undefined) {
    throw new SkullError('unavailable', 'Nothing runs FullAuto: deploy a flow with a skull-fullauto node.');
  }
  return fullauto;
}

const testOnce = define({
  id: 'testFullauto',
  method: 'POST',
  path: '/fullauto/test-once',
  tag: 'FullAuto',
  summary: 'Run one cycle of FullAuto now',
  description:
    'One whole cycle in any mode: a song, then what `accueil_after_song` and `ia_after_accueil` say follows it. `steps` tells what will be done: without `song` where there is none. In mode FullAuto it counts as a cycle, and the next song comes an interval after its start. A change of the mode to another one than FullAuto ends it.',
  role: 'editor',
  body: nothing,
  success: success('The cycle has begun.'),
  errors: ['estop', 'busy', 'not_allowed', 'unavailable'],
  handle: async (_request, character) => ({ body: await fullautoOf(character).testOnce() }),
});

const next = define({
  id: 'startNextSong',
  method: 'POST',
  path: '/fullauto/next',
  tag: 'FullAuto',
  summary: 'Start the next song of FullAuto now',
  description:
    'Begins the next cycle without waiting for its time, on hold and in quiet hours too, in mode FullAuto only. What is left of the present cycle after its song is left out; while its song plays the request is refused. The song after it comes an interval later.',
  role: 'editor',
  body: nothing,
  success: success('The song starts as soon as the body is free.'),
  errors: ['estop', 'conflict', 'busy', 'not_allowed', 'unavailable'],
  handle: async (_request, character) => ({ body: await fullautoOf(character).next() }),
});

export const FULLAUTO_OPERATIONS: readonly Operation[] = [testOnce, next];
