import type { Clock } from '../model/ports.ts';
import type { Snapshot } from './definition.ts';
import type { Delays } from './run.ts';
import type { Place } from './tree.ts';

interface Timer {
  place: Place;
  index: number;
  due: number;
  handle: unknown;
}

/** Node's timers end at once when asked for more. */
const LONGEST = 2 ** 31 - 1;

/** The delays that run for the states that are active now. */
export class Timers {
  readonly #clock: Clock;
  readonly #ended: (place: Place, index: number, still: () => boolean) => void;
  /** A few at most. An array, for a Set leaves a trail of its old tables, which keeps what they held until a full collection. */
  #timers: readonly Timer[] = [];

  /** `ended` is told when a delay is over, with a function that says later whether its state has been active ever since. */
  constructor(clock: Clock, ended: (place: Place, index: number, still: () => boolean) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  start(place: Place, delays: Delays): void {
    delays.forEach((ms, index) => {
      if (ms === undefined) return;
      const timer: Timer = { place, index, due: this.#clock.now() + ms, handle: undefined };
      this.#timers = [...this.#timers, timer];
      this.#wait(timer);
    });
  }

  #wait(timer: Timer): void {
    const left = timer.due - this.#clock.now();
    timer.handle = this.#clock.setTimeout(
      () => {
        if (left > LONGEST) this.#wait(timer);
        else this.#end(timer);
      },
      Math.min(left, LONGEST),
    );
  }

  #end(timer: Timer): void {
    timer.handle = undefined;
    this.#ended(timer.place, timer.index, () => {
      const still = this.#timers.includes(timer);
      this.#timers = this.#timers.filter((other) => other !== timer);
      return still;
    });
  }

  stop(place: Place): void {
    if (this.#timers.length > 0) this.#drop((timer) => timer.place === place);
  }

  stopAll(): void {
    this.#drop(() => true);
  }

  #drop(over: (timer: Timer) => boolean): void {
    const left: Timer[] = [];
    for (const timer of this.#timers) {
      if (!over(timer)) left.push(timer);
      else if (timer.handle !== undefined) this.#clock.clearTimeout(timer.handle);
    }
    this.#timers = left;
  }

  snapshot(): Snapshot['timers'] {
    const now = this.#clock.now();
    return this.#timers.map(({ place, index, due }) => ({
      state: place.path,
      after: index,
      remaining: Math.max(0, due - now),
    }));
  }
}
