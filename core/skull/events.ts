import { messageOf } from '../model/errors.ts';
import type { EventRecord, NewEvent } from '../model/event.ts';
import type { Clock, Log } from '../model/ports.ts';

/**
 * Numbers and dates the facts of the character's life, and hands them to whoever listens, in order: after what is being
 * done now, so that a state is on its way before anybody writes about it.
 */
export class EventHub {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(event: EventRecord) => void>();
  #waiting: EventRecord[] = [];
  #seq = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  append(event: NewEvent): EventRecord {
    const record: EventRecord = { seq: ++this.#seq, time: new Date(this.#clock.now()).toISOString(), ...event };
    if (this.#waiting.push(record) === 1) queueMicrotask(() => this.#tell());
    return record;
  }

  onEvent(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(): void {
    const records = this.#waiting;
    this.#waiting = [];
    for (const record of records) {
      for (const listener of this.#listeners) {
        try {
          listener(record);
        } catch (error) {
          const { kind, subject, cause } = record;
          const msg = `${subject}: a listener failed on the event ${cause}: ${messageOf(error)}`;
          this.#log.error({ kind, msg, subject, cause });
        }
      }
    }
  }
}
