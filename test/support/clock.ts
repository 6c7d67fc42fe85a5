import type { Clock } from '../../core/model/ports.ts';

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/** A clock that moves only when told; timers due at the same time run in the order in which they were set. */
export class SimulatedClock implements Clock {
  #now: number;
  #start: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = start;
    this.#start = start;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - this.#start;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Somebody sets the time; timers go on as long as they would have. */
  set(now: number): void {
    for (const timer of this.#timers) timer.at += now - this.#now;
    this.#start += now - this.#now;
    this.#now = now;
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end);
      const next = due.sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }
}
