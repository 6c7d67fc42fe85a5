import type { Clock } from '../../core/model/ports.ts';

/** Shows a value at once, but at most once in so many milliseconds: in between only the last one counts, and is always shown. */
export class Paced<T> {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #show: (value: T) => void;
  #timer: unknown;
  #next: { value: T } | undefined;

  constructor(clock: Clock, ms: number, show: (value: T) => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#show = show;
  }

  show(value: T): void {
    if (this.#timer === undefined) this.#now(value);
    else this.#next = { value };
  }

  #now(value: T): void {
    this.#next = undefined;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      if (this.#next !== undefined) this.#now(this.#next.value);
    }, this.#ms);
    this.#show(value);
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
  }
}
