import type { NodeAPI } from 'node-red';

/**
 * Starts nodes once every node of the flows is there, for what they send at their start must find whom it is wired to.
 * Node-RED says so after each deploy, full or partial; a constructor or `setImmediate` may be too early, because
 * Node-RED starts one flow after another and may wait in between.
 */
export class Starts {
  readonly #RED: NodeAPI;
  readonly #waiting = new Set<() => void>();

  constructor(RED: NodeAPI) {
    this.#RED = RED;
  }

  /** Returns the function that calls it off. */
  add(start: () => void): () => void {
    if (this.#waiting.size === 0) this.#RED.events.on('flows:started', this.#started);
    this.#waiting.add(start);
    return () => {
      this.#waiting.delete(start);
      if (this.#waiting.size === 0) this.#RED.events.removeListener('flows:started', this.#started);
    };
  }

  #started = (): void => {
    const starts = [...this.#waiting];
    this.#waiting.clear();
    this.#RED.events.removeListener('flows:started', this.#started);
    for (const start of starts) start();
  };
}
