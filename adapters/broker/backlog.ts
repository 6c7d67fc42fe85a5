/** Messages that are published between two marks. */
const SPACING = 16;
/** Marks that may be under way before what comes in has to wait. */
const ALLOWED = 7;
/** A mark that has not come back by then is not coming: this broker does not hand such topics on. */
const LOST_MS = 1000;

export interface BacklogOptions {
  /** Publishes a mark. */
  mark(): void;
  /** Holds back what comes in, or lets it come again. */
  hold(held: boolean): void;
}

/**
 * Keeps the queue short that stands on the broker before what is published next, an emergency stop's consequences among
 * it: every few messages a mark goes the way of all messages and comes back on the express connection. While too many
 * are under way, what comes in, and would make more messages, waits.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  #messages = 0;
  #marks = 0;
  #lost: NodeJS.Timeout | undefined;
  #usable = true;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** A new connection: nothing is under way. */
  reset(): void {
    this.#usable = true;
    this.#settle(0);
  }

  published(): void {
    if (!this.#usable || ++this.#messages < SPACING) return;
    this.#messages = 0;
    this.#options.mark();
    this.#settle(this.#marks + 1);
  }

  /** A mark came back. */
  returned(): void {
    this.#settle(Math.max(0, this.#marks - 1));
  }

  #settle(marks: number): void {
    const held = marks > ALLOWED;
    if (held !== this.#marks > ALLOWED) {
      this.#options.hold(held);
      clearTimeout(this.#lost);
      if (held) this.#lost = setTimeout(() => this.#giveUp(), LOST_MS).unref();
    }
    this.#marks = marks;
  }

  #giveUp(): void {
    this.#usable = false;
    this.#settle(0);
  }
}
