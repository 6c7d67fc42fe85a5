/** Events that cause events that cause events …: so deep and no deeper. */
const MAX_CHAIN = 100;

/** One piece of work after the other: what is asked for while one is at work has its turn when that is finished. */
export class Turns {
  readonly #dropped: (message: string) => void;
  #queue: { work: () => void; depth: number }[] = [];
  /** How many pieces of work in a row have caused each other; -1 when none is at work. */
  #depth = -1;

  /** `dropped` is told of work that is not done, because it would go on for ever. */
  constructor(dropped: (message: string) => void) {
    this.#dropped = dropped;
  }

  get busy(): boolean {
    return this.#depth >= 0;
  }

  /** Does the work, and then what came up meanwhile; or queues it while other work is being done. */
  take(work: () => void): void {
    if (this.busy) {
      if (this.#depth < MAX_CHAIN) this.#queue.push({ work, depth: this.#depth + 1 });
      else this.#dropped(`an event was dropped: ${MAX_CHAIN} events in a row caused each other`);
      return;
    }
    this.#depth = 0;
    try {
      work();
      while (this.#queue.length > 0) {
        const waiting = this.#queue;
        this.#queue = [];
        for (const next of waiting) {
          this.#depth = next.depth;
          next.work();
        }
      }
    } finally {
      this.#depth = -1;
    }
  }
}
