import { existsSync, renameSync } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SkullError } from '../../core/model/errors.ts';
import { codeOf, FILE_MODE, FOLDER_MODE } from '../files/write-whole.ts';
import { migrate, versionOf } from './migrations.ts';

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const BROKEN: readonly number[] = [11, 26];
/** What SQLite keeps of the file in memory. */
const CACHE_KB = 256;
const PAGE_BYTES = 4096;

/** Whether an error says that the file is no sound database. */
export function isBroken(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' && BROKEN.includes(code & 0xff);
}

/** Renames a database that cannot be used, with what belongs to it. Returns its new name. */
export function setAside(file: string, now: number): string {
  const aside = `${file}.broken-${new Date(now).toISOString().replaceAll(':', '-')}`;
  for (const end of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(file + end)) renameSync(file + end, aside + end);
  }
  return aside;
}

/** What is in the log yet SQLite moves by itself now; after that nobody could put it on the disk. */
function close(sql: DatabaseSync): void {
  try {
    sql.exec('PRAGMA synchronous = NORMAL');
  } catch {
    // In a broken file there is nothing to lose.
  }
  sql.close();
}

/**
 * A SQLite file for the main thread, which must not wait for a disk. So SQLite writes without ever synchronising
 * (`synchronous=OFF`): what it writes goes to the system's cache of the file. What has to be on the disk before
 * something else is put there by `fdatasync` in a thread of libuv's, in the order that SQLite's own `NORMAL` keeps:
 *
 * - Transactions go to the log (WAL). After a power cut SQLite takes from it what is whole: the last moments are lost.
 * - `checkpoint` moves the log's pages to the file. The log is on the disk before the first of them is moved, and the
 *   file before the log is emptied; and the log is empty on the disk before it is written again, or a mixture of an old
 *   and a new log could be read after a power cut. Nobody may write meanwhile.
 *
 * Only `checkpoint` does so: SQLite's own are off, but for the one at the end, to which `close` leaves nothing.
 */
export class Database {
  readonly sql: DatabaseSync;
  readonly #name: string;
  /** Held as long as the connection: to close any handle on the file gives up SQLite's locks on it. */
  readonly #file: FileHandle;
  readonly #wal: FileHandle;
  readonly #checkpoint: StatementSync;
  readonly #pages: StatementSync;
  readonly #freePages: StatementSync;

  private constructor(sql: DatabaseSync, name: string, file: FileHandle, wal: FileHandle) {
    this.sql = sql;
    this.#name = name;
    this.#file = file;
    this.#wal = wal;
    this.#checkpoint = sql.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    this.#pages = sql.prepare('PRAGMA page_count');
    this.#freePages = sql.prepare('PRAGMA freelist_count');
  }

  /** Opens a file and brings it to the present form; makes it, and its folder, where it is missing. */
  static async open(file: string): Promise<Database> {
    const { DatabaseSync } = await import('node:sqlite').catch((cause) => {
      const needed = `it needs Node 22.13 or newer, and this is ${process.versions.node}`;
      throw new SkullError('unavailable', needed, { cause });
    });
    // Node's `recursive` never returns below what holds no folders, as /proc. What is wrong here the next step tells.
    await mkdir(path.dirname(file), { mode: FOLDER_MODE }).catch(() => {});
    // First by ourselves: for the mode of a new file, and for an error that says more than SQLite's.
    const handle = await open(file, 'a', FILE_MODE);
    let sql: DatabaseSync | undefined;
    try {
      sql = new DatabaseSync(file);
      // Alone with the file, SQLite has the index of the log in memory instead of one more file. To be said first: the
      // others look into the file already.
      sql.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA synchronous = OFF;
        PRAGMA cache_size = -${CACHE_KB};
      `);
      const version = versionOf(sql);
      sql.exec(`
        PRAGMA auto_vacuum = INCREMENTAL;
        PRAGMA journal_mode = WAL;
        PRAGMA wal_autocheckpoint = 0;
      `);
      migrate(sql, version);
      sql.prepare('SELECT 1 FROM sqlite_schema').get();
      return new Database(sql, file, handle, await open(`${file}-wal`, 'r+'));
    } catch (error) {
      if (sql !== undefined) close(sql);
      await handle.close();
      throw error;
    }
  }

  /** Does something in one transaction. */
  transaction(act: () => void): void {
    this.sql.exec('BEGIN');
    try {
      act();
      this.sql.exec('COMMIT');
    } catch (error) {
      try {
        this.sql.exec('ROLLBACK');
      } catch {
        // After some errors SQLite has done so by itself.
      }
      throw error;
    }
  }

  /** Whether its name still leads to it: somebody may have removed the file, or put another one there. */
  async isInPlace(): Promise<boolean> {
    const named = await stat(this.#name).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
    const own = await this.#file.stat();
    return named?.ino === own.ino && named.dev === own.dev;
  }

  /** The length of the log in bytes. */
  async walBytes(): Promise<number> {
    return (await this.#wal.stat()).size;
  }

  /** Puts on the disk what was committed. */
  sync(): Promise<void> {
    return this.#wal.datasync();
  }

  /** Moves the log to the file and empties it. Nothing may be written meanwhile. */
  async checkpoint(): Promise<void> {
    await this.#wal.datasync();
    const { busy, log, checkpointed } = this.#checkpoint.get() ?? {};
    if (busy !== 0 || log !== checkpointed) return;
    await this.#file.datasync();
    // SQLite begins a log anew that is moved, whatever is in it; its own way to empty it would have us wait for the disk.
    await this.#wal.truncate();
    await this.#wal.sync();
  }

  /** The size of the file in bytes, and how much of it is of use. */
  size(): { all: number; used: number } {
    const all = Number(this.#pages.get()?.page_count) * PAGE_BYTES;
    return { all, used: all - Number(this.#freePages.get()?.freelist_count) * PAGE_BYTES };
  }

  /** Gives back a few pages that are of no use. */
  shrink(): void {
    this.sql.exec('PRAGMA incremental_vacuum(16)');
  }

  /** Closes what its name does not lead to any more: its log must not be taken for that of the file which is there now. */
  async leave(): Promise<void> {
    try {
      await this.checkpoint();
    } finally {
      await this.#wal.truncate();
      await this.close();
    }
  }

  /** Waits for the disk where the log is not empty: have a checkpoint before. */
  async close(): Promise<void> {
    try {
      close(this.sql);
    } finally {
      await this.#wal.close();
      await this.#file.close();
    }
  }
}
