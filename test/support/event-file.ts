import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteEvents, type SqliteEventsOptions } from '../../adapters/sqlite/event-store.ts';
import type { EventRecord } from '../../core/model/event.ts';
import type { EventQuery } from '../../core/model/event-log.ts';
import { SimulatedClock } from './clock.ts';
import { keepingLog } from './ports.ts';

export const fact = (seq: number, more: Partial<EventRecord> = {}): EventRecord => ({
  seq,
  time: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(),
  kind: 'transition',
  subject: 'skull',
  cause: 'vision/motion',
  data: { from: 'Idle', to: 'Track' },
  ...more,
});

/** The numbers from one to another, both included. */
export const numbers = (first: number, last: number): number[] =>
  Array.from({ length: Math.abs(last - first) + 1 }, (_, n) => (last < first ? first - n : first + n));

/** A file of events below the temporary folder, and the stores that a test opens on it one after the other. */
export class EventFile {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'skull-events-'));
  readonly file: string;
  readonly clock = new SimulatedClock();
  readonly log = keepingLog();
  readonly #stores: SqliteEvents[] = [];

  constructor(place = 'events.db') {
    this.file = path.join(this.folder, place);
  }

  async open(more: Partial<SqliteEventsOptions> = {}): Promise<SqliteEvents> {
    const { file, clock, log } = this;
    const store = await SqliteEvents.open({ file, maxBytes: 2 ** 26, clock, log, ...more });
    this.#stores.push(store);
    return store;
  }

  /** The length of the file, or of one beside it. */
  bytes(end = ''): number {
    return statSync(this.file + end, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Asks the file itself, once no store has it. */
  ask(sql: string): unknown[] {
    const database = new DatabaseSync(this.file);
    try {
      return database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row)[0]);
    } finally {
      database.close();
    }
  }

  logged(level: string): string[] {
    return this.log.entries.filter((entry) => entry.level === level).map(({ msg }) => msg);
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close();
    rmSync(this.folder, { recursive: true });
  }
}

export const newest: EventQuery = { first: 'newest', limit: 100_000 };
export const oldest: EventQuery = { first: 'oldest', limit: 100_000 };

export async function seqs(store: SqliteEvents, query: Partial<EventQuery> = {}): Promise<number[]> {
  return (await store.read({ ...oldest, ...query })).map(({ seq }) => seq);
}

/** Other things have their turn until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
