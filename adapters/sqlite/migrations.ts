import type { DatabaseSync } from 'node:sqlite';
import { SkullError } from '../../core/model/errors.ts';
import { EVENTS } from './migrations/0001-events.ts';

/** In their order, which never changes: the number of a migration is its place. */
const MIGRATIONS: readonly string[] = [EVENTS];

/**
 * How many migrations a file has seen. Throws `conflict` where a newer version of ours or another program made it: such a
 * file is left as it is.
 */
export function versionOf(sql: DatabaseSync, migrations = MIGRATIONS): number {
  const version = Number(sql.prepare('PRAGMA user_version').get()?.user_version);
  if (version > migrations.length) {
    throw new SkullError('conflict', `it is of a newer version: its number is ${version}, not ${migrations.length}`);
  }
  const isOthers = version === 0 && sql.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined;
  if (isOthers) throw new SkullError('conflict', 'it is the database of another program');
  return version;
}

/** Brings a file to the present form, each step whole or not at all. */
export function migrate(sql: DatabaseSync, version: number, migrations = MIGRATIONS): void {
  for (const [index, text] of migrations.entries()) {
    if (index >= version) sql.exec(`BEGIN; ${text}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
