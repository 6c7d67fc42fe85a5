import { PriorityWord, priorityOf } from '../../model/priority.ts';
import { Type } from '../../model/type.ts';
import { Text } from '../tasks.ts';
import { ClaimedActivity, claimBody, told } from './claims.ts';
import { define, type Operation, TEXT_BYTES } from './operation.ts';

const say = define({
  id: 'say',
  method: 'POST',
  path: '/say',
  tag: 'Skull',
  summary: 'Say something',
  description:
    'The skull says a text, in every mode, as soon as the body is free for it: a less urgent song, greeting or answer is paused and goes on afterwards.',
  role: 'editor',
  body: {
    schema: Type.Object(
      { text: Text, priority: Type.Unsafe<PriorityWord>({ ...PriorityWord, default: 'HIGH' }) },
      { additionalProperties: false },
    ),
    example: { text: 'Le spectacle commence dans cinq minutes.', priority: 'URGENT' },
    maxBytes: TEXT_BYTES,
  },
  success: {
    status: 200,
    description: 'It is said, or waits for its turn.',
    schema: Type.Object({ activity: ClaimedActivity }),
    example: { activity: { id: 'k3v9', kind: 'say', priority: 'URGENT', running_ms: 0, phase: 'running' } },
  },
  errors: ['estop', 'conflict', 'too_many_requests', 'unavailable'],
  handle: ({ body: { text, priority } }, character) => {
    const claim = { kind: 'say', priority: priorityOf(priority), args: { text }, cause: 'rest' };
    return { body: { activity: told(character, claimBody(character, 'Saying something', claim)) } };
  },
});

export const SAY_OPERATIONS: readonly Operation[] = [say];
