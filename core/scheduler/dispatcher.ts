import type { Clock, Random } from '../model/ports.ts';
import type { Activity, Claim, Outcome, Performer } from './activity.ts';
import { leaveChain } from './chain.ts';
import { Deadlines } from './deadlines.ts';
import { LaneActivity, type Urgency } from './lane-activity.ts';
import { Register } from './register.ts';
import { Stage } from './stage.ts';
import { Telling } from './telling.ts';

export interface DispatcherOptions {
  clock: Clock;
  random: Pick<Random, 'id'>;
  capacity: number;
  graceMs: number;
  onError: ((error: unknown, activity: Activity) => void) | undefined;
}

/**
 * Moves activities between waiting, running and paused, and calls those who perform them. One turn carries out all that
 * there is to do, in a loop: who calls back from within it adds to it.
 */
export class Dispatcher {
  readonly stage = new Stage();
  readonly register: Register;
  readonly #deadlines: Deadlines;
  readonly telling: Telling;
  held = false;
  locked = false;
  completed = 0;
  /** Called once nothing is left. */
  readonly drained: (() => void)[] = [];
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #graceMs: number;
  readonly #onError: DispatcherOptions['onError'];
  #turning = false;

  constructor({ clock, random, capacity, graceMs, onError }: DispatcherOptions) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#graceMs = graceMs;
    this.#onError = onError;
    this.register = new Register(random);
    this.#deadlines = new Deadlines(clock, () => this.turn());
    this.telling = new Telling(onError);
  }

  admit(claim: Claim, performer: Performer): LaneActivity {
    const activity = new LaneActivity(claim, performer, this.#clock.now(), this.register);
    if (claim.id !== undefined) this.register.add(claim.id, activity);
    this.stage.queue.add(activity);
    if (claim.ttlMs !== undefined) this.#deadlines.set(activity, claim.ttlMs);
    this.telling.note('waiting', activity);
    this.turn();
    return activity;
  }

  /** Gives it another priority. */
  rank(activity: LaneActivity, urgency: Urgency): void {
    activity.urgency = urgency;
    if (activity.phase === 'waiting') this.stage.queue.add(activity);
    if (activity.phase === 'paused') this.stage.paused.at(urgency).unshift(activity);
    if (activity.phase === 'running') this.stage.place(activity);
    this.turn();
  }

  /** The end of what has started. False where it is late. */
  end(activity: LaneActivity, outcome: Outcome): boolean {
    if (!this.#settle(activity, outcome)) return false;
    this.turn();
    return true;
  }

  /** Returns how many of them were there to cancel. Nothing takes their places before the last of them has been told. */
  cancel(activities: readonly LaneActivity[]): number {
    let count = 0;
    this.turn(() => {
      for (const activity of activities) if (this.#cancel(activity)) count++;
    });
    return count;
  }

  lock(): void {
    this.locked = true;
    this.turn(() => {
      for (const activity of this.stage.living()) {
        this.#cancel(activity);
        // It may wait for its performer, and may have done so before.
        this.#finish(activity, 'cancelled');
      }
    });
  }

  /** Does the work, then all that follows from it. Within another turn only the work: that turn does the rest. */
  turn(work?: () => void): void {
    if (this.#turning) {
      work?.();
      return;
    }
    this.#turning = true;
    try {
      work?.();
      do {
        this.#expire();
        this.telling.tell();
      } while (this.#step());
    } finally {
      this.#turning = false;
    }
    if (this.drained.length > 0 && this.stage.size === 0) {
      for (const resolve of this.drained.splice(0)) resolve();
    }
  }

  /** Starts, resumes or pauses one activity; false where there is nothing to do. */
  #step(): boolean {
    if (this.held || this.locked) return false;
    if (this.stage.holding < this.#capacity) {
      const next = this.stage.next();
      if (next !== undefined) this.#enter(next);
      return next !== undefined;
    }
    const victim = this.stage.victim();
    if (victim === undefined) return false;
    this.#pause(victim);
    return true;
  }

  #enter(activity: LaneActivity, preempts?: string): void {
    const resumes = activity.phase === 'paused';
    if (!resumes) {
      this.stage.queue.remove(activity);
      this.#deadlines.delete(activity);
      activity.startedAt = this.#clock.now();
    }
    activity.phase = 'running';
    activity.preempts = preempts;
    this.stage.place(activity);
    this.telling.note(resumes ? 'resumed' : 'started', activity);
    try {
      if (resumes) activity.performer.resume?.(activity);
      else this.#follow(activity, activity.performer.start(activity));
    } catch (error) {
      this.#fail(activity, error);
    }
  }

  #follow(activity: LaneActivity, result: unknown): void {
    if (!(result instanceof Promise)) return;
    result.then(
      () => this.turn(() => void this.#settle(activity, 'completed')),
      (error) => this.turn(() => this.#fail(activity, error)),
    );
  }

  #pause(activity: LaneActivity): void {
    activity.phase = 'pausing';
    this.stage.pausing.push(activity);
    let result: unknown;
    try {
      result = activity.performer.pause?.(activity);
    } catch (error) {
      this.#fail(activity, error);
    }
    if (!(result instanceof Promise)) {
      this.#giveWay(activity);
      return;
    }
    if (isPausing(activity)) this.#deadlines.set(activity, this.#graceMs);
    result.then(
      () => this.turn(() => this.#giveWay(activity)),
      (error) => this.turn(() => this.#fail(activity, error)),
    );
  }

  /** It has let go: the place goes to whom it was paused for. */
  #giveWay(activity: LaneActivity): void {
    if (!isPausing(activity)) return;
    this.#deadlines.delete(activity);
    activity.phase = 'paused';
    this.stage.paused.at(activity.urgency).unshift(activity);
    this.telling.note('paused', activity);
    if (this.held || this.locked) return;
    const contender = this.stage.contender(activity.urgency);
    if (contender !== undefined) this.#enter(contender, activity.id);
  }

  /** False where there is nothing to cancel, or it is being cancelled. */
  #cancel(activity: LaneActivity): boolean {
    const { phase } = activity;
    if (phase === 'waiting') return this.#finish(activity, 'cancelled');
    if (phase === 'ended' || phase === 'cancelling') return false;
    activity.phase = 'cancelling';
    this.#deadlines.delete(activity);
    if (phase === 'paused') leaveChain(activity);
    else this.stage.steadfast.push(activity);
    activity.abort();
    let result: unknown;
    try {
      result = activity.performer.cancel?.(activity);
    } catch (error) {
      this.#onError?.(error, activity);
    }
    const over = () => void this.#finish(activity, 'cancelled');
    if (result instanceof Promise) {
      result.catch((error) => this.#onError?.(error, activity)).then(() => this.turn(over));
      if (activity.chain !== undefined) {
        this.#deadlines.set(activity, this.#graceMs);
        return true;
      }
    }
    over();
    return true;
  }

  #expire(): void {
    for (;;) {
      const activity = this.#deadlines.takeDue();
      if (activity === undefined) return;
      if (activity.phase === 'pausing') this.#cancel(activity);
      else this.#finish(activity, activity.phase === 'waiting' ? 'expired' : 'cancelled');
    }
  }

  #settle(activity: LaneActivity, outcome: Outcome): boolean {
    const { phase } = activity;
    return (phase === 'running' || phase === 'pausing' || phase === 'paused') && this.#finish(activity, outcome);
  }

  #fail(activity: LaneActivity, error: unknown): void {
    if (this.#settle(activity, 'failed')) this.#onError?.(error, activity);
  }

  #finish(activity: LaneActivity, outcome: Outcome): boolean {
    if (activity.phase === 'ended') return false;
    if (activity.phase === 'waiting') this.stage.queue.remove(activity);
    else leaveChain(activity);
    this.#deadlines.delete(activity);
    this.register.remove(activity);
    activity.phase = 'ended';
    activity.outcome = outcome;
    if (outcome === 'completed') this.completed++;
    this.telling.note('ended', activity);
    if (outcome === 'cancelled') activity.abort();
    return true;
  }
}

const isPausing = ({ phase }: LaneActivity): boolean => phase === 'pausing';
