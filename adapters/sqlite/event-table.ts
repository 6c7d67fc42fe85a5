import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { EVENT_KINDS, type EventKind, type EventRecord } from '../../core/model/event.ts';
import type { EventQuery } from '../../core/model/event-log.ts';

/** So many rows are looked at in one go. */
const WINDOW = 1000;

/** Numbers between which events are looked for, both excluded. */
export interface Bounds {
  after: number;
  before: number;
}

const FITS = `
  seq BETWEEN ? AND ? AND kind = coalesce(?, kind) AND subject = coalesce(?, subject) AND cause = coalesce(?, cause)
  AND time >= ? AND time < ?
`;

const isKind = (value: unknown): value is EventKind => EVENT_KINDS.some((kind) => kind === value);

/** None where it is of a kind that we do not know. */
function recordsOf({ seq, time, kind, subject, cause, data }: Record<string, SQLOutputValue>): EventRecord[] {
  if (!isKind(kind)) return [];
  return [
    {
      seq: Number(seq),
      time: new Date(Number(time)).toISOString(),
      kind,
      subject: String(subject),
      cause: String(cause),
      data: JSON.parse(String(data)),
    },
  ];
}

/** The events of a database: each call is one short piece of work. */
export class EventTable {
  readonly #insert: StatementSync;
  readonly #edge: Record<EventQuery['first'], StatementSync>;
  readonly #rows: Record<EventQuery['first'], StatementSync>;
  readonly #nth: StatementSync;
  readonly #drop: StatementSync;

  constructor(sql: DatabaseSync) {
    this.#insert = sql.prepare('INSERT INTO events (seq, time, kind, subject, cause, data) VALUES (?, ?, ?, ?, ?, ?)');
    this.#edge = {
      newest: sql.prepare('SELECT max(seq) AS seq FROM events WHERE seq > ? AND seq < ?'),
      oldest: sql.prepare('SELECT min(seq) AS seq FROM events WHERE seq > ? AND seq < ?'),
    };
    this.#rows = {
      newest: sql.prepare(`SELECT * FROM events WHERE ${FITS} ORDER BY seq DESC LIMIT ?`),
      oldest: sql.prepare(`SELECT * FROM events WHERE ${FITS} ORDER BY seq LIMIT ?`),
    };
    this.#nth = sql.prepare('SELECT seq FROM events ORDER BY seq LIMIT 1 OFFSET ?');
    this.#drop = sql.prepare('DELETE FROM events WHERE seq < ?');
  }

  /** The greatest number; 0 where there is none. */
  get lastSeq(): number {
    return Number(this.#edge.newest.get(0, Number.MAX_SAFE_INTEGER)?.seq ?? 0);
  }

  insert(events: readonly EventRecord[]): void {
    for (const { seq, time, kind, subject, cause, data } of events) {
      this.#insert.run(seq, Date.parse(time), kind, subject, cause, JSON.stringify(data));
    }
  }

  /** Removes the oldest events. Returns false, and removes none, where there are no more than `count` left. */
  dropOldest(count: number): boolean {
    const kept = this.#nth.get(count)?.seq;
    return kept !== undefined && this.#drop.run(kept).changes > 0;
  }

  /**
   * Looks through the next rows between the bounds, from the end that is asked for. Returns what fits among them, and the
   * bounds of what is left to look through; undefined where there is nothing left.
   */
  look(
    query: EventQuery,
    { after, before }: Bounds,
    limit: number,
  ): { found: EventRecord[]; left: Bounds } | undefined {
    const { first, kind, subject, cause, from, to } = query;
    const edge = this.#edge[first].get(after, before)?.seq;
    if (typeof edge !== 'number') return undefined;
    const [low, high] = first === 'newest' ? [edge - WINDOW + 1, edge] : [edge, edge + WINDOW - 1];
    const rows = this.#rows[first].all(
      Math.max(low, after + 1),
      Math.min(high, before - 1),
      kind ?? null,
      subject ?? null,
      cause ?? null,
      from ?? Number.MIN_SAFE_INTEGER,
      to ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
    const left = first === 'newest' ? { after, before: low } : { after: high, before };
    return { found: rows.flatMap(recordsOf), left };
  }
}
