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
  readonly #timers = new Set<Timer>();

  /** `ended` is told when a delay is over, with a function that says later whether its state has been active ever since. */
  constructor(clock: Clock, ended: (place: Place, index: number, still: () => boolean) => void) {
    this.#clock = clock;
    this.#ended = ended;
  }

  start(place: Place, delays: Delays): void {
    delays.forEach((ms, index) => {
      if (ms === undefined) return;
      const timer: Timer = { place, index, due: this.#clock.now() + ms, handle: undefined };
      this.#timers.add(timer);
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
    this.#ended(timer.place, timer.index, () => this.#timers.delete(timer));
  }

  stop(place: Place): void {
    if (this.#timers.size === 0) return;
    for (const timer of this.#timers) {
      if (timer.place === place) this.#drop(timer);
    }
  }

  stopAll(): void {
    for (const timer of this.#timers) this.#drop(timer);
  }

  #drop(timer: Timer): void {
    this.#timers.delete(timer);
    if (timer.handle !== undefined) this.#clock.clearTimeout(timer.handle);
  }

  snapshot(): Snapshot['timers'] {
    const now = this.#clock.now();
    return [...this.#timers].map(({ place, index, due }) => ({
      state: place.path,
      after: index,
      remaining: Math.max(0, due - now),
    }));
  }
}
