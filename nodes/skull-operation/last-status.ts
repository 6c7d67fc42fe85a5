import type { Node } from 'node-red';
import type { Clock } from '../../core/model/ports.ts';

const SHOW_EVERY_MS = 500;

/** Shows the HTTP status of the last answer at the node, at most twice a second and only when it is another one. */
export class LastStatus {
  readonly #node: Node;
  readonly #clock: Clock;
  #shown: number | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;
  #latest = 0;
  #waiting: unknown;

  constructor(node: Node, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  note(status: number): void {
    this.#latest = status;
    if (status === this.#shown || this.#waiting !== undefined) return;
    const wait = this.#shownAt + SHOW_EVERY_MS - this.#clock.elapsed();
    if (wait <= 0) this.#show();
    else this.#waiting = this.#clock.setTimeout(() => this.#show(), wait);
  }

  clear(): void {
    this.#clock.clearTimeout(this.#waiting);
    this.#node.status({});
  }

  #show(): void {
    this.#waiting = undefined;
    if (this.#latest === this.#shown) return;
    this.#shown = this.#latest;
    this.#shownAt = this.#clock.elapsed();
    const fill = this.#latest < 400 ? 'green' : this.#latest < 500 ? 'yellow' : 'red';
    this.#node.status({ fill, shape: 'dot', text: String(this.#latest) });
  }
}
