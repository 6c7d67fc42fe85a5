import { messageOf } from './errors.ts';
import type { EventKind, EventRecord, NewEvent } from './event.ts';
import type { Log } from './log.ts';

/** Which events are asked for: those that fit all that is given. */
export interface EventQuery {
  kind?: EventKind | undefined;
  subject?: string | undefined;
  cause?: string | undefined;
  /** Milliseconds since the epoch: not before, and before. */
  from?: number | undefined;
  to?: number | undefined;
  /** Numbers greater than `after`, less than `before`. */
  after?: number | undefined;
  before?: number | undefined;
  /** `newest`: the last ones, the newest first; `oldest`: the first ones, the oldest first. */
  first: 'newest' | 'oldest';
  limit: number;
}

type Listener = (event: EventRecord) => void;

/** Keeps events. */
export interface EventStore {
  /** `not_configured`: they are kept in memory only, which is no fault. */
  readonly check: 'ok' | 'down' | 'not_configured';
  /** The number of the last event that was ever kept; 0 before the first. */
  readonly lastSeq: number;
  /** Takes an event without waiting for a disk. Never throws: what cannot be kept is told by `problems`. */
  keep(event: EventRecord): void;
  /** Sees everything that was kept before the call. Rejects with `unavailable` where nothing can be read. */
  read(query: EventQuery): Promise<EventRecord[]>;
  /** What is wrong with it, one sentence each. */
  problems(): string[];
}

/**
 * The facts of all characters of this process in one row: numbers that go on over restarts, listeners, and a store. Each is
 * told after what is being done now, so that a state is on its way before anybody writes about it.
 */
export class EventLog {
  readonly #store: EventStore;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #waiting: [EventRecord, Listener][] = [];
  #seq: number;

  constructor(store: EventStore, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#seq = store.lastSeq;
  }

  /** The number of the last event that happened. */
  get lastSeq(): number {
    return this.#seq;
  }

  get check(): EventStore['check'] {
    return this.#store.check;
  }

  /**
   * Numbers an event that happens now, greater than any before, also than those that the store found only later. It is told
   * to `first`, kept, and told to everybody, in the order of the numbers.
   */
  append(event: NewEvent, now: number, first: Listener = () => {}): EventRecord {
    this.#seq = Math.max(this.#seq, this.#store.lastSeq) + 1;
    const record: EventRecord = { seq: this.#seq, time: new Date(now).toISOString(), ...event };
    if (this.#waiting.push([record, first]) === 1) queueMicrotask(() => this.#tellAll());
    return record;
  }

  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells a listener, whose failure is its own. */
  tell(listener: Listener, event: EventRecord): void {
    try {
      listener(event);
    } catch (error) {
      const { kind, subject, cause } = event;
      const msg = `${subject}: a listener failed on the event ${cause}: ${messageOf(error)}`;
      this.#log.error({ kind, msg, subject, cause });
    }
  }

  #tellAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [event, first] of waiting) {
      first(event);
      this.#store.keep(event);
      for (const listener of this.#listeners) this.tell(listener, event);
    }
  }

  read(query: EventQuery): Promise<EventRecord[]> {
    return this.#store.read(query);
  }

  problems(): string[] {
    return this.#store.problems();
  }
}

/** Whether an event is one of those that are asked for. */
export function isAsked({ seq, time, kind, subject, cause }: EventRecord, query: EventQuery): boolean {
  return (
    (query.kind === undefined || kind === query.kind) &&
    (query.subject === undefined || subject === query.subject) &&
    (query.cause === undefined || cause === query.cause) &&
    (query.from === undefined || Date.parse(time) >= query.from) &&
    (query.to === undefined || Date.parse(time) < query.to) &&
    (query.after === undefined || seq > query.after) &&
    (query.before === undefined || seq < query.before)
  );
}

/** The last events, in memory: what there is where there is no database. */
export class RecentEvents implements EventStore {
  readonly check = 'not_configured';
  readonly lastSeq = 0;
  readonly #most: number;
  #events: EventRecord[] = [];

  constructor(most = 1000) {
    this.#most = most;
  }

  keep(event: EventRecord): void {
    this.#events.push(event);
    // Cut seldom, for each cut copies what stays.
    if (this.#events.length >= 2 * this.#most) this.#events = this.#events.slice(-this.#most);
  }

  async read(query: EventQuery): Promise<EventRecord[]> {
    const found = this.#events.slice(-this.#most).filter((event) => isAsked(event, query));
    return (query.first === 'newest' ? found.reverse() : found).slice(0, query.limit);
  }

  problems(): string[] {
    return [];
  }
}
