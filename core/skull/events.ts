import type { EventRecord, NewEvent } from '../model/event.ts';
import type { Clock } from '../model/ports.ts';

/** Numbers and dates the facts of the character's life, and hands them to whoever listens, in order. */
export class EventHub {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: EventRecord) => void>();
  #seq = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  append(event: NewEvent): EventRecord {
    const record: EventRecord = { seq: ++this.#seq, time: new Date(this.#clock.now()).toISOString(), ...event };
    for (const listener of this.#listeners) listener(record);
    return record;
  }

  onEvent(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
