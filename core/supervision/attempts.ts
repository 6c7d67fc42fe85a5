/** More restarts than this within WINDOW_MS do not help. */
export const MOST_RESTARTS = 5;
export const WINDOW_MS = 10 * 60_000;
const SHORTEST_MS = 1000;
const LONGEST_MS = 60_000;

/** How often a service was restarted, and when it may be again. Times in milliseconds since the epoch. */
export class Attempts {
  /** Since the start. */
  total = 0;
  #recent: number[] = [];
  /** Restarts that followed one another within WINDOW_MS. */
  #running = 0;
  /** When the next one may be, once it was asked for: signs of life in between do not put it off. */
  #dueAt: number | undefined;

  made(now: number): void {
    this.#dueAt = undefined;
    this.total++;
    this.#running++;
    this.#recent.push(now);
  }

  /**
   * How long the next restart has to wait: the first one not at all, each that follows twice as long as the one before
   * it, from 1 s to 60 s. Undefined where there were too many. A service that did without for ten minutes begins anew.
   */
  delay(now: number): number | undefined {
    this.#recent = this.#recent.filter((time) => time > now - WINDOW_MS && time <= now);
    if (this.#recent.length >= MOST_RESTARTS) return undefined;
    if (this.#recent.length === 0) this.clear();
    const wait = this.#running === 0 ? 0 : Math.min(SHORTEST_MS * 2 ** (this.#running - 1), LONGEST_MS);
    this.#dueAt ??= now + wait;
    return Math.min(wait, Math.max(0, this.#dueAt - now));
  }

  /** Forgets what was, but not how often. */
  clear(): void {
    this.#recent = [];
    this.#running = 0;
    this.#dueAt = undefined;
  }
}
