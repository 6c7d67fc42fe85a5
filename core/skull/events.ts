import { messageOf } from '../model/errors.ts';
import type { EventRecord, NewEvent } from '../model/event.ts';
import type { EventLog } from '../model/event-log.ts';
import type { Clock, Log } from '../model/ports.ts';

/**
 * Dates the facts of a character's life, has the event log number and keep them, and hands them to whoever listens, in
 * order: after what is being done now, so that a state is on its way before anybody writes about it.
 */
export class EventHub {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #kept: EventLog;
  readonly #listeners = new Set<(event: EventRecord) => void>();
  #waiting: EventRecord[] = [];

  constructor({ clock, log, events }: { clock: Clock; log: Log; events: EventLog }) {
    this.#clock = clock;
    this.#log = log;
    this.#kept = events;
  }

  append(event: NewEvent): EventRecord {
    const record: EventRecord = {
      seq: this.#kept.next(),
      time: new Date(this.#clock.now()).toISOString(),
      ...event,
    };
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
      this.#kept.add(record);
    }
  }
}
