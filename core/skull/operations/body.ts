import { SkullError } from '../../model/errors.ts';
import type { Statechart } from '../../statechart/statechart.ts';
import type { Character } from '../character.ts';
import { MODES, type Mode } from '../topics.ts';

/** The statechart that moves the skull. Throws `unavailable` where no flow lends it one. */
export function bodyOf(character: Character): Statechart {
  if (character.body === undefined) {
    throw new SkullError('unavailable', 'No statechart moves the skull: deploy a flow with a skull-fsm node.');
  }
  return character.body;
}

const isStopped = (body: Statechart): boolean => body.context.estop === true;

export function modeOf(body: Statechart): Mode {
  return MODES.find((mode) => mode === body.context.mode) ?? 'Idle';
}

/** Throws `estop` while the emergency stop is on. */
export function refuseUnderEstop(character: Character, what: string): void {
  if (character.body !== undefined && isStopped(character.body)) throw stopped(what);
}

/** Why the statechart did not take an event: the emergency stop, or what it does instead. */
export function refusal(body: Statechart, what: string): SkullError {
  if (isStopped(body)) return stopped(what);
  return new SkullError('busy', `${what} is not possible in state ${body.state}: wait until the skull is Idle.`);
}

const stopped = (what: string) =>
  new SkullError(
    'estop',
    `${what} is not possible under emergency stop: release it with POST /estop {"active": false}.`,
  );
