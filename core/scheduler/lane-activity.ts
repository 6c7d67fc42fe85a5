import { PRIORITIES, type Priority } from '../model/priority.ts';
import type { Activity, Claim, Outcome, Performer, Phase, Policy } from './activity.ts';
import type { Chain } from './chain.ts';
import type { Register } from './register.ts';

/** A priority as a number: 1 goes first, 5 last. */
export type Urgency = (typeof PRIORITIES)[Priority];

const NAMES: Record<Urgency, Priority> = { 1: 'URGENT', 2: 'HIGH', 3: 'MEDIUM', 4: 'LOW', 5: 'BACKGROUND' };

/**
 * An activity as the lane keeps it. A million of them may wait: what few ask for (id, signal) is made when it is asked
 * for, and the lists link the activities themselves.
 */
export class LaneActivity implements Activity {
  // In the order of use: what is touched at the start and the end of each stands together in memory.
  phase: Phase = 'waiting';
  urgency: Urgency;
  /** The one list it stands in, and its neighbours there. */
  chain: Chain | undefined = undefined;
  before: LaneActivity | undefined = undefined;
  behind: LaneActivity | undefined = undefined;
  readonly interruptible: boolean;
  readonly performer: Performer;
  startedAt: number | undefined = undefined;
  preempts: string | undefined = undefined;
  outcome: Outcome | undefined = undefined;
  /** Its id, once somebody knows it. */
  knownAs: string | undefined;
  readonly register: Register;

  readonly policy: Policy;
  /** Grows with each entry into the queue. */
  order = 0;
  readonly key: string | undefined;
  /** When its time is over, and its place in the heap of deadlines, −1 outside of it. */
  deadline: number | undefined = undefined;
  place = -1;
  readonly kind: string;
  readonly name: string;
  readonly args: unknown;
  readonly cause: string;
  readonly claimedAt: number;
  #controller: AbortController | undefined = undefined;

  constructor(claim: Claim, performer: Performer, now: number, register: Register) {
    this.urgency = PRIORITIES[claim.priority];
    this.interruptible = claim.interruptible ?? true;
    this.performer = performer;
    this.knownAs = claim.id;
    this.register = register;
    this.policy = claim.policy ?? 'interrupt';
    this.key = claim.key;
    this.kind = claim.kind;
    this.name = claim.name ?? claim.kind;
    this.args = claim.args;
    this.cause = claim.cause ?? 'claim';
    this.claimedAt = now;
  }

  get id(): string {
    return this.knownAs ?? this.register.nameFor(this);
  }

  get priority(): Priority {
    return NAMES[this.urgency];
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.phase === 'cancelling' || this.outcome === 'cancelled') this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller?.abort();
  }
}
