import type { EventRecord } from '../../core/model/event.ts';

/** More events do not wait: the oldest of them are lost, */
const MOST = 10_000;
/** some at once, for each cut moves all the others. */
const CUT = 50;

/** Events that are not written yet, in the order of their numbers. */
export class WaitingEvents {
  #events: EventRecord[] = [];
  #lastSeq = 0;
  #lost = 0;

  get length(): number {
    return this.#events.length;
  }

  /** The greatest number of all, be they written or not. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How many were lost since it was last forgotten. */
  get lost(): number {
    return this.#lost;
  }

  forgetLost(): void {
    this.#lost = 0;
  }

  add(event: EventRecord): void {
    const seq = Math.max(event.seq, this.#lastSeq + 1);
    this.#lastSeq = seq;
    this.#events.push(seq === event.seq ? event : { ...event, seq });
    if (this.#events.length > MOST) this.#lost += this.#events.splice(0, CUT).length;
  }

  /** Numbers up to this one turn out to be taken: those that wait, and all that come, get greater ones. */
  startAfter(seq: number): void {
    const [first] = this.#events;
    if (first !== undefined && first.seq <= seq) {
      this.#events = this.#events.map((event, index) => ({ ...event, seq: seq + 1 + index }));
    }
    this.#lastSeq = Math.max(this.#lastSeq, seq, this.#events.at(-1)?.seq ?? 0);
  }

  /** All of them, as they are now. */
  all(): EventRecord[] {
    return [...this.#events];
  }

  first(count: number): EventRecord[] {
    return this.#events.slice(0, count);
  }

  /** The first ones are written. */
  drop(count: number): void {
    this.#events.splice(0, count);
  }
}
