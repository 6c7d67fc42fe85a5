import type { EventRecord, NewEvent } from '../model/event.ts';
import type { EventLog } from '../model/event-log.ts';
import type { Clock } from '../model/ports.ts';

/** The facts of one character's life: dates them, has the event log number and keep them, and tells whoever listens. */
export class EventHub {
  readonly #clock: Clock;
  readonly #kept: EventLog;
  readonly #listeners = new Set<(event: EventRecord) => void>();

  constructor({ clock, events }: { clock: Clock; events: EventLog }) {
    this.#clock = clock;
    this.#kept = events;
  }

  append(event: NewEvent): EventRecord {
    return this.#kept.append(event, this.#clock.now(), this.#tell);
  }

  onEvent(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  readonly #tell = (event: EventRecord): void => {
    for (const listener of this.#listeners) this.#kept.tell(listener, event);
  };
}
