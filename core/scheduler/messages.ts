import { SkullError } from '../model/errors.ts';
import { PriorityWord, priorityOf } from '../model/priority.ts';
import { parse } from '../model/schema.ts';
import { type Static, type TSchema, Type } from '../model/type.ts';
import { type Activity, type Outcome, POLICIES } from './activity.ts';
import type { Lane } from './lane.ts';

/** A lane spoken to, and speaking, in messages: a topic and a payload that JSON can hold. */

/** Outcomes that whoever carries an activity out may tell. */
const TOLD = ['completed', 'failed', 'timed_out', 'cancelled', 'refused'] as const satisfies readonly Outcome[];

const closed = { additionalProperties: false } as const;
const Word = Type.String({ minLength: 1, maxLength: 200 });

const Claimed = Type.Object(
  {
    id: Type.Optional(Word),
    kind: Word,
    name: Type.Optional(Word),
    priority: PriorityWord,
    interruptible: Type.Optional(Type.Boolean()),
    ttl_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
    key: Type.Optional(Word),
    policy: Type.Optional(Type.Enum([...POLICIES])),
    args: Type.Optional(Type.Unknown()),
    cause: Type.Optional(Word),
  },
  closed,
);
const Done = Type.Object({ id: Word, outcome: Type.Optional(Type.Enum([...TOLD])) }, closed);
const Cancelled = Type.Object(
  {
    id: Type.Optional(Word),
    kinds: Type.Optional(Type.Array(Word)),
    waiting: Type.Optional(Type.Boolean()),
  },
  closed,
);
const Reprioritised = Type.Object({ id: Word, priority: PriorityWord }, closed);
const Locked = Type.Object({ locked: Type.Boolean() }, closed);
const Held = Type.Object({ held: Type.Boolean() }, closed);

type Order = (lane: Lane, payload: unknown) => void | Promise<void>;

const order =
  <T extends TSchema>(topic: string, schema: T, carryOut: (lane: Lane, payload: Static<T>) => void): Order =>
  (lane, payload) =>
    carryOut(lane, parse(schema, payload, { what: `The payload of ${topic}` }));

const claim = order('claim', Claimed, (lane, { ttl_ms: ttlMs, priority, ...rest }) => {
  lane.claim({ ...rest, ttlMs, priority: priorityOf(priority) });
});

const ORDERS: ReadonlyMap<unknown, Order> = new Map<unknown, Order>([
  [undefined, claim],
  ['', claim],
  ['claim', claim],
  // What has ended in the meantime is not there any more: a late word about it changes nothing.
  ['done', order('done', Done, (lane, { id, outcome }) => void lane.end(id, outcome))],
  ['cancel', order('cancel', Cancelled, (lane, selection) => void lane.cancel(selection))],
  [
    'priority',
    order('priority', Reprioritised, (lane, { id, priority }) => void lane.setPriority(id, priorityOf(priority))),
  ],
  ['lock', order('lock', Locked, (lane, { locked }) => (locked ? lane.lock() : lane.unlock()))],
  ['hold', order('hold', Held, (lane, { held }) => (held ? lane.hold() : lane.release()))],
  ['drain', (lane) => lane.drain()],
]);

/**
 * Carries out what a message asks of a lane; a promise where that takes its time. Throws SkullError: `invalid` for a
 * message that is none of the lane's, else what the lane throws.
 */
export function obey(lane: Lane, { topic, payload }: { topic?: unknown; payload?: unknown }): void | Promise<void> {
  const carryOut = ORDERS.get(topic);
  if (carryOut !== undefined) return carryOut(lane, payload);
  const given = JSON.stringify(topic);
  throw new SkullError(
    'invalid',
    `msg.topic must be claim, done, cancel, priority, lock, hold or drain, not ${given}.`,
  );
}

/** What is to be done with an activity. `since`: when it first started, or was claimed where it never did. */
export function told({ id, kind, name, priority, args, preempts, startedAt, claimedAt, cause }: Activity) {
  return { id, kind, name, priority, args, preempts: preempts ?? null, since: startedAt ?? claimedAt, cause };
}

/** How an activity ended. */
export function ended({ id, kind, name, key, priority, outcome, startedAt, cause }: Activity, now: number) {
  return { id, kind, name, key: key ?? null, priority, outcome, started_at: startedAt ?? null, ended_at: now, cause };
}
