import type { Clock } from '../model/ports.ts';
import type { LaneActivity } from './lane-activity.ts';

/** The longest that timers can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/** Which activity's time is over next: a binary heap, and one timer for its top. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onTime: () => void;
  readonly #heap: LaneActivity[] = [];
  #timer: { handle: unknown; at: number } | undefined;

  /** Calls `onTime` when it is time to call `takeDue`. */
  constructor(clock: Clock, onTime: () => void) {
    this.#clock = clock;
    this.#onTime = onTime;
  }

  set(activity: LaneActivity, ms: number): void {
    this.#remove(activity);
    activity.deadline = this.#clock.now() + ms;
    this.#put(activity, this.#heap.length);
    this.#rise(activity);
    this.#arm();
  }

  delete(activity: LaneActivity): void {
    if (this.#heap.length === 0 || activity.place < 0) return;
    this.#remove(activity);
    this.#arm();
  }

  /** Takes out the activity whose time is over; undefined where there is none. */
  takeDue(): LaneActivity | undefined {
    const nearest = this.#heap[0];
    if (nearest === undefined || timeOf(nearest) > this.#clock.now()) return undefined;
    this.delete(nearest);
    return nearest;
  }

  #arm(): void {
    const nearest = this.#heap[0];
    // A timer that is early does no harm; it arms the next one.
    if (nearest !== undefined && this.#timer !== undefined && this.#timer.at <= timeOf(nearest)) return;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
    if (nearest === undefined) return;
    const ms = Math.min(Math.max(0, timeOf(nearest) - this.#clock.now()), LONGEST_MS);
    this.#timer = { at: timeOf(nearest), handle: this.#clock.setTimeout(() => this.#ring(), ms) };
  }

  #ring(): void {
    this.#timer = undefined;
    this.#onTime();
    this.#arm();
  }

  #remove(activity: LaneActivity): void {
    const { place } = activity;
    if (place < 0) return;
    activity.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === activity) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(activity: LaneActivity, place: number): void {
    this.#heap[place] = activity;
    activity.place = place;
  }

  #rise(activity: LaneActivity): void {
    while (activity.place > 0) {
      const { place } = activity;
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || timeOf(parent) <= timeOf(activity)) return;
      this.#put(parent, place);
      this.#put(activity, above);
    }
  }

  #sink(activity: LaneActivity): void {
    for (;;) {
      const { place } = activity;
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const child = left !== undefined && right !== undefined && timeOf(right) < timeOf(left) ? right : left;
      if (child === undefined || timeOf(activity) <= timeOf(child)) return;
      const below = child.place;
      this.#put(child, place);
      this.#put(activity, below);
    }
  }
}

const timeOf = ({ deadline }: LaneActivity): number => deadline ?? Number.POSITIVE_INFINITY;
