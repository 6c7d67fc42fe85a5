import type { Clock } from '../../model/ports.ts';
import type { Config } from '../config/sections.ts';
import { afterQuiet } from './quiet-hours.ts';

/** When songs start: at once where none has yet, then each interval, from start to start. Times in milliseconds since the epoch. */
export class Schedule {
  readonly #clock: Clock;
  readonly #config: () => Config['fullauto'];
  #lastStart: number | undefined;

  constructor(clock: Clock, config: () => Config['fullauto'], lastStart: number | undefined) {
    this.#clock = clock;
    this.#config = config;
    this.#lastStart = lastStart;
  }

  get lastStart(): number | undefined {
    return this.#lastStart;
  }

  startedAt(time: number): void {
    this.#lastStart = time;
  }

  /** A start that lies ahead of a clock that was set back counts as now, so that the next one is an interval away at most. */
  mistrustClock(): void {
    if (this.#lastStart !== undefined) this.#lastStart = Math.min(this.#lastStart, this.#clock.now());
  }

  /** The next start, now where it is due; undefined on hold. */
  next(): number | undefined {
    const { hold, interval_song_ms, quiet_hours } = this.#config();
    if (hold) return undefined;
    const due = (this.#lastStart ?? Number.NEGATIVE_INFINITY) + interval_song_ms;
    return afterQuiet(quiet_hours, Math.max(this.#clock.now(), due));
  }

  /** When a song starts after one that starts then. */
  after(start: number): number {
    const { interval_song_ms, quiet_hours } = this.#config();
    return afterQuiet(quiet_hours, start + interval_song_ms);
  }
}
