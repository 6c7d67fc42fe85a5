import { SkullError } from '../model/errors.ts';
import type { Clock, Random } from '../model/ports.ts';
import { PRIORITIES, type Priority } from '../model/priority.ts';
import type { Activity, Claim, LaneEvent, Outcome, Performer } from './activity.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Register } from './register.ts';
import type { Stage } from './stage.ts';

export interface LaneOptions {
  clock: Clock;
  random: Pick<Random, 'id'>;
  /** Who carries out what no performer of its own was claimed with. */
  performer: Performer;
  /** How many activities may run at once; 1 where absent. */
  capacity?: number;
  /** How many may wait at most; without end where absent. */
  maxWaiting?: number;
  /** How long a pause or a cancellation may take, in milliseconds; 5000 where absent. */
  graceMs?: number;
  /** Told of a performer or listener that failed. Must not throw. */
  onError?: (error: unknown, activity: Activity) => void;
}

/** Which activities an operation is about; every one where a key is absent. */
export interface Selection {
  id?: string | undefined;
  kinds?: readonly string[] | undefined;
  /** False: only those that have started. */
  waiting?: boolean | undefined;
}

/**
 * A resource that one activity, or `capacity` of them, may hold at a time. A free place goes to the most urgent of those that
 * wait or are paused; among equals to a paused one, then to whoever came first. A more urgent claim takes the place of the
 * least urgent activity that may be interrupted, among equals of the one that came to its place last.
 *
 * All is decided within the call that causes it. Performers and listeners may call back: what they want is noted at once
 * and carried out after they return. Operations on one activity are O(1), with a deadline O(log n).
 */
export class Lane {
  readonly capacity: number;
  readonly #maxWaiting: number;
  readonly #performer: Performer;
  readonly #dispatcher: Dispatcher;
  readonly #register: Register;
  readonly #stage: Stage;
  #draining = false;

  /** Throws SkullError 'invalid' where a number is out of range. */
  constructor({
    clock,
    random,
    performer,
    capacity = 1,
    maxWaiting = Number.POSITIVE_INFINITY,
    graceMs = 5000,
    onError,
  }: LaneOptions) {
    if (!Number.isInteger(capacity) || capacity < 1) throw invalid('capacity', 'must be a whole number from 1');
    if (!Number.isFinite(graceMs) || graceMs < 0) throw invalid('graceMs', 'must be a number of milliseconds from 0');
    this.capacity = capacity;
    this.#maxWaiting = maxWaiting;
    this.#performer = performer;
    this.#dispatcher = new Dispatcher({ clock, random, capacity, graceMs, onError });
    this.#register = this.#dispatcher.register;
    this.#stage = this.#dispatcher.stage;
  }

  get held(): boolean {
    return this.#dispatcher.held;
  }

  get locked(): boolean {
    return this.#dispatcher.locked;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Those that hold a place, in no particular order. */
  get running(): readonly Activity[] {
    return this.#stage.holders();
  }

  /** Those that wait, in the order in which they would start. */
  waiting(): Activity[] {
    return this.#stage.queue.list();
  }

  /** Those that are paused, in the order in which they would resume. */
  paused(): Activity[] {
    return [...this.#stage.paused];
  }

  get waitingCount(): number {
    return this.#stage.queue.size;
  }

  get pausedCount(): number {
    return this.#stage.paused.size;
  }

  /** How many ended as `completed` since the lane was made. */
  get completedCount(): number {
    return this.#dispatcher.completed;
  }

  /** A living activity; undefined where there is none. */
  find(id: string): Activity | undefined {
    return this.#register.find(id);
  }

  /**
   * Throws SkullError: locked or draining → 'conflict'; policy `reject` and no place free → 'busy'; too many wait →
   * 'too_many_requests'; an id that lives or a bad
   * number → 'invalid'. Returns the waiting activity of the same key where there is one, as urgent as the more urgent of both.
   */
  claim(claim: Claim, performer: Performer = this.#performer): Activity {
    const { id, key, ttlMs } = claim;
    if (this.#dispatcher.locked) throw new SkullError('conflict', 'The lane is locked: unlock it first.');
    if (this.#draining) throw new SkullError('conflict', 'The lane is draining and takes no more: release it first.');
    if (ttlMs !== undefined && !(Number.isFinite(ttlMs) && ttlMs >= 1)) {
      throw invalid('ttlMs', 'must be a number of milliseconds from 1');
    }
    if (id !== undefined && this.#register.find(id) !== undefined) {
      throw invalid('id', `an activity ${id} lives already`);
    }
    // One whose time is over, though its timer is late, is no twin.
    if (key !== undefined) this.#dispatcher.turn();
    const twin = key === undefined ? undefined : this.#stage.queue.withKey(key);
    if (twin !== undefined) {
      if (PRIORITIES[claim.priority] < twin.urgency) this.#dispatcher.rank(twin, PRIORITIES[claim.priority]);
      return twin;
    }
    if (claim.policy === 'reject' && (this.#dispatcher.held || this.#stage.size >= this.capacity)) {
      throw new SkullError('busy', 'No place is free: claim again later, or with another policy.');
    }
    if (this.waitingCount >= this.#maxWaiting) {
      throw new SkullError('too_many_requests', `${this.waitingCount} wait already: claim again later.`);
    }
    return this.#dispatcher.admit(claim, performer);
  }

  /**
   * The activity, or the living one of that id, is over. False where it is not running, pausing or paused: unknown, or a late
   * result of a cancelled one.
   */
  end(which: Activity | string, outcome: Exclude<Outcome, 'expired'> = 'completed'): boolean {
    const activity = typeof which === 'string' ? this.#register.find(which) : this.#register.own(which);
    return activity !== undefined && this.#dispatcher.end(activity, outcome);
  }

  /** Cancels what is selected; returns how many. */
  cancel({ id, kinds, waiting }: Selection): number {
    const named = id === undefined ? undefined : this.#register.find(id);
    const among = id === undefined ? this.#stage.living() : named === undefined ? [] : [named];
    return this.#dispatcher.cancel(
      among.filter(({ kind, phase }) => (kinds?.includes(kind) ?? true) && (waiting !== false || phase !== 'waiting')),
    );
  }

  /**
   * Changes the priority of a living activity, which becomes the last of its new equals, a paused one the first. May
   * pre-empt. False: unknown.
   */
  setPriority(id: string, priority: Priority): boolean {
    const activity = this.#register.find(id);
    if (activity === undefined) return false;
    if (PRIORITIES[priority] !== activity.urgency) this.#dispatcher.rank(activity, PRIORITIES[priority]);
    return true;
  }

  /** While held nothing starts or resumes; what runs goes on. */
  hold(): void {
    this.#dispatcher.held = true;
  }

  /** Ends `hold` and `drain`. */
  release(): void {
    this.#dispatcher.held = false;
    this.#draining = false;
    this.#dispatcher.turn();
  }

  /** Takes no more claims, until released; resolves once nothing is left. */
  drain(): Promise<void> {
    this.#draining = true;
    return new Promise((resolve) => {
      this.#dispatcher.drained.push(resolve);
      this.#dispatcher.turn();
    });
  }

  /** Cancels everything without any grace and refuses every claim, until unlocked. */
  lock(): void {
    this.#dispatcher.lock();
  }

  unlock(): void {
    this.#dispatcher.locked = false;
    this.#dispatcher.turn();
  }

  /** Tells of everything that happens, in order. Returns the function that ends it. */
  onEvent(listener: (event: LaneEvent) => void): () => void {
    return this.#dispatcher.telling.add(listener);
  }
}

const invalid = (path: string, message: string): SkullError =>
  new SkullError('invalid', `${path}: ${message}`, { issues: [{ path, message }] });
