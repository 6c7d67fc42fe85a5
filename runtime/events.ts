import { SqliteEvents } from '../adapters/sqlite/event-store.ts';
import { systemClock } from '../adapters/system.ts';
import { EventLog } from '../core/model/event-log.ts';
import type { Log } from '../core/model/ports.ts';
import type { Environment } from './env.ts';

const MB = 1024 * 1024;

/** What happened and happens: kept in SQLite, also where the database is to be PostgreSQL. */
export async function openHostEvents({ databaseFile: file, postgresUrl, eventLogMaxMb }: Environment, log: Log) {
  if (postgresUrl !== undefined) {
    const msg = `DATABASE_URL names PostgreSQL, which is of no use yet: events are kept in ${file}.`;
    log.warn({ kind: 'system', msg });
  }
  const store = await SqliteEvents.open({ file, maxBytes: eventLogMaxMb * MB, clock: systemClock, log });
  return { events: new EventLog(store, log), close: () => store.close() };
}
