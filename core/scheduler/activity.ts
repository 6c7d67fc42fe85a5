import type { Priority } from '../model/priority.ts';

/**
 * What a claim does where the lane is not free. `interrupt`: takes the place of a less urgent, interruptible activity, else
 * waits; `enqueue`: waits its turn and interrupts nobody; `reject`: is refused. It is about the first start: once paused,
 * any activity takes a place back from a less urgent one.
 */
export const POLICIES = ['interrupt', 'enqueue', 'reject'] as const;
export type Policy = (typeof POLICIES)[number];

/** How an activity may end. `expired` and `refused` never ran. */
export const OUTCOMES = ['completed', 'failed', 'timed_out', 'cancelled', 'expired', 'refused'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Where an activity stands. `pausing` and `cancelling` still hold their place, until they let go or their grace is over. */
export type Phase = 'waiting' | 'running' | 'pausing' | 'paused' | 'cancelling' | 'ended';

/** What somebody wants of a lane. */
export interface Claim {
  /** Unique among the living; made where absent. */
  id?: string | undefined;
  /** What it does: `sing`, `say`, … */
  kind: string;
  /** For people; the kind where absent. */
  name?: string | undefined;
  priority: Priority;
  /** Whether a more urgent claim may pause it. True where absent. */
  interruptible?: boolean | undefined;
  /** How long it may wait to be started, in milliseconds, from 1; without end where absent. */
  ttlMs?: number | undefined;
  /** While a claim with this key waits, a further one with the same key is that one. */
  key?: string | undefined;
  /** `interrupt` where absent. */
  policy?: Policy | undefined;
  /** What whoever performs it needs to know. */
  args?: unknown;
  /** What made it happen, for events; `claim` where absent. */
  cause?: string | undefined;
}

/** A claim on its way. The lane alone changes it. */
export interface Activity {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly priority: Priority;
  readonly interruptible: boolean;
  readonly key: string | undefined;
  readonly args: unknown;
  readonly cause: string;
  readonly phase: Phase;
  /** Times in milliseconds since the epoch. */
  readonly claimedAt: number;
  /** When it first started; undefined until then. */
  readonly startedAt: number | undefined;
  /** The activity that was paused to make room when this one last started or resumed; undefined where the place was free. */
  readonly preempts: string | undefined;
  /** Undefined until it has ended. */
  readonly outcome: Outcome | undefined;
  /** Aborted when it is cancelled. Made when first asked for. */
  readonly signal: AbortSignal;
}

/**
 * Carries activities out. Every call is made in the tick in which the lane decides; what it throws or rejects with ends
 * the activity as `failed`, or as `cancelled` where it was to cancel.
 */
export interface Performer {
  /** A promise ends the activity when it settles; otherwise `lane.end(id)` does. */
  start(activity: Activity): unknown;
  /** The place is free at once, or where a promise is returned once it has resolved; when the grace is over before, the activity is cancelled. */
  pause?(activity: Activity): void | Promise<void>;
  resume?(activity: Activity): void;
  /** The place is free at once, or where a promise is returned once it has settled or the grace is over. */
  cancel?(activity: Activity): void | Promise<void>;
}

export type LaneEventType = 'waiting' | 'started' | 'paused' | 'resumed' | 'ended';

/** What happened to an activity: every one is `waiting` first, if only for a moment, and `ended` once. */
export interface LaneEvent {
  type: LaneEventType;
  activity: Activity;
}
