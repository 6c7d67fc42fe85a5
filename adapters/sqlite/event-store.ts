import path from 'node:path';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { EventRecord } from '../../core/model/event.ts';
import { type EventQuery, type EventStore, isAsked } from '../../core/model/event-log.ts';
import type { Clock, Log } from '../../core/model/ports.ts';
import { Database, isBroken, setAside } from './database.ts';
import { EventTable } from './event-table.ts';
import { WaitingEvents } from './waiting-events.ts';

/** Events wait so long for others to be written with, */
const GATHER_MS = 250;
/** or until there are so many. */
const BATCH = 500;
/** What is written, or removed, before others have their turn. */
const SLICE = 50;
/** So long after it was written an event is on the disk. */
const SYNC_MS = 2000;
const RETRY_MS = 15_000;
/** When SQLite's log is moved to the file, in bytes; it is looked at every so many slices. */
const WAL_BYTES = 1024 * 1024;
const SLICES = 16;
/** So many bytes of no use may be in the file beyond its size, to be written again. */
const SLACK_BYTES = 256 * 1024;

export interface SqliteEventsOptions {
  file: string;
  /** The size of the file that the oldest events are removed for. */
  maxBytes: number;
  clock: Clock;
  log: Log;
}

interface Opened {
  database: Database;
  table: EventTable;
}

/** Resolves once the event loop has seen to everything else. */
const nextRound = (): Promise<unknown> => new Promise(setImmediate);

/**
 * The events in a SQLite file. They wait in memory and are written a few at a time, between other things. While the file
 * cannot be used they go on waiting; it is tried again by itself.
 */
export class SqliteEvents implements EventStore {
  readonly #options: SqliteEventsOptions;
  #opened: Opened | undefined;
  readonly #waiting = new WaitingEvents();
  #failure: string | undefined;
  /** The new name of the file that was broken. */
  #aside: string | undefined;
  /** What somebody who read met. */
  #found: unknown;
  #timer: unknown;
  #syncTimer: unknown;
  #syncDue = false;
  /** What may be in SQLite's log: nothing at first, be the file new or its process killed. */
  #walMost = 0;
  #working: Promise<void> | undefined;
  #readings: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(options: SqliteEventsOptions) {
    this.#options = options;
  }

  /** Never rejects: what is wrong is told by `problems`, and in the log. */
  static async open(options: SqliteEventsOptions): Promise<SqliteEvents> {
    const events = new SqliteEvents(options);
    await events.#try(async () => void (await events.#ready()));
    if (events.#failure === undefined) events.#begin();
    else events.#schedule(RETRY_MS);
    return events;
  }

  get check(): 'ok' | 'down' {
    return this.#failure === undefined ? 'ok' : 'down';
  }

  get lastSeq(): number {
    return this.#waiting.lastSeq;
  }

  problems(): string[] {
    const { file } = this.#options;
    const { lost } = this.#waiting;
    const aside = this.#aside && path.basename(this.#aside);
    return [
      ...(this.#failure === undefined ? [] : [`The event log ${file} cannot be used: ${this.#failure}.`]),
      ...(lost === 0 ? [] : [`${lost} events could not be kept in the event log and are lost.`]),
      ...(aside === undefined ? [] : [`The event log was broken: it is set aside as ${aside}, and a new one begun.`]),
    ];
  }

  keep(event: EventRecord): void {
    if (this.#closing !== undefined) return;
    this.#waiting.add(event);
    if (this.#failure !== undefined) return;
    if (this.#waiting.length >= BATCH) this.#begin();
    else this.#schedule(GATHER_MS);
  }

  /** What waits when it is asked is taken from memory, what is older from the file. */
  async read(query: EventQuery): Promise<EventRecord[]> {
    const waiting = this.#waiting.all();
    // Below any number: whether there is something before the first that waits only the file knows.
    const { limit, after = -1, before = Number.MAX_SAFE_INTEGER } = query;
    const bounds = { after, before: Math.min(before, waiting[0]?.seq ?? before) };
    const recent = (most: number) => {
      if (query.first === 'newest') waiting.reverse();
      return waiting.filter((event) => isAsked(event, query)).slice(0, most);
    };
    if (query.first === 'newest') {
      const found = recent(limit);
      return [...found, ...(await this.#stored(query, bounds, limit - found.length))];
    }
    const found = await this.#stored(query, bounds, limit);
    return [...found, ...recent(limit - found.length)];
  }

  /** Resolves once all that waits is written, or cannot be. */
  async flush(): Promise<void> {
    await this.#working;
    this.#begin();
    await this.#working;
  }

  /** Writes what waits; what is kept from then on is lost. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const { log, clock } = this.#options;
    clock.clearTimeout(this.#timer);
    clock.clearTimeout(this.#syncTimer);
    await this.flush();
    this.#isClosed = true;
    const { length } = this.#waiting;
    if (length > 0) log.error({ kind: 'system', msg: `${length} events could not be kept in the event log.` });
    await this.#shut(async (database) => {
      if (this.#failure === undefined) await database.checkpoint();
      await database.close();
    });
  }

  async #stored(query: EventQuery, bounds: { after: number; before: number }, limit: number): Promise<EventRecord[]> {
    const found: EventRecord[] = [];
    try {
      for (let left = bounds; found.length < limit && left.after + 1 < left.before; ) {
        if (this.#opened === undefined) throw new Error(this.#failure ?? 'it is being opened');
        const looked = this.#opened.table.look(query, left, limit - found.length);
        if (looked === undefined) break;
        found.push(...looked.found);
        left = looked.left;
        if (found.length < limit) await this.#nextReading();
      }
    } catch (cause) {
      if (isBroken(cause)) {
        this.#found = cause;
        this.#begin();
      }
      throw new SkullError('unavailable', `The event log cannot be read: ${messageOf(cause)}.`, { cause });
    }
    return found;
  }

  #schedule(ms: number): void {
    if (this.#closing !== undefined) return;
    this.#timer ??= this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#begin();
    }, ms);
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#working ??= this.#try(() => this.#work()).finally(() => {
      this.#working = undefined;
      if (this.#failure !== undefined) this.#schedule(RETRY_MS);
      else if (this.#waiting.length > 0 || this.#syncDue || this.#found !== undefined) this.#schedule(GATHER_MS);
    });
  }

  /** A file that turns out to be broken is replaced, though not twice: then it is the disk. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work().catch(async (error: unknown) => {
        if (!isBroken(error) || this.#aside !== undefined) throw error;
        await this.#replace(error);
        await work();
      });
    } catch (error) {
      const { file, log } = this.#options;
      const msg = `The event log ${file} cannot be used: ${messageOf(error)}. It is tried again every ${RETRY_MS / 1000} s.`;
      if (this.#failure === undefined) log.error({ kind: 'system', msg });
      this.#failure = messageOf(error);
    }
  }

  async #replace(error: unknown): Promise<void> {
    const { file, clock, log } = this.#options;
    this.#found = undefined;
    await this.#shut((database) => database.close());
    this.#aside = setAside(file, clock.now());
    const msg = `The event log ${file} is broken (${messageOf(error)}): it is set aside as ${this.#aside}, and a new one begun.`;
    log.error({ kind: 'system', msg });
  }

  async #shut(close: (database: Database) => Promise<void>): Promise<void> {
    const { log, file } = this.#options;
    const database = this.#opened?.database;
    this.#opened = undefined;
    this.#walMost = 0;
    try {
      if (database !== undefined) await close(database);
    } catch (error) {
      log.error({ kind: 'system', msg: `The event log ${file} was not closed well: ${messageOf(error)}` });
    }
  }

  async #ready(): Promise<Opened> {
    const { file, log } = this.#options;
    if (this.#opened !== undefined) {
      if (await this.#opened.database.isInPlace()) return this.#opened;
      log.warn({ kind: 'system', msg: `The event log ${file} was removed or replaced: it is opened anew.` });
      await this.#shut((database) => database.leave());
    }
    const database = await Database.open(file);
    const table = new EventTable(database.sql);
    this.#waiting.startAfter(table.lastSeq);
    this.#opened = { database, table };
    return this.#opened;
  }

  async #work(): Promise<void> {
    if (this.#found !== undefined) throw this.#found;
    const { database, table } = await this.#ready();
    // What comes meanwhile gathers for the next time, if it is not too much.
    let due = this.#waiting.length;
    for (let slice = 0; ; slice++) {
      if (slice % SLICES === 0) await this.#move(database);
      const isWriting = due > 0 ? this.#waiting.length > 0 : this.#waiting.length >= BATCH;
      if (isWriting) due -= this.#write(database, table);
      const isFitting = this.#fit(database, table);
      if (!isWriting && !isFitting) break;
      await nextRound();
    }
    await this.#move(database);
    if (this.#syncDue) {
      await database.sync();
      this.#syncDue = false;
    }
    this.#succeeded();
  }

  /** Returns how many it has written. */
  #write(database: Database, table: EventTable): number {
    const slice = this.#waiting.first(SLICE);
    database.transaction(() => table.insert(slice));
    this.#waiting.drop(slice.length);
    if (this.#closing !== undefined) return slice.length;
    this.#syncTimer ??= this.#options.clock.setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncDue = true;
      this.#begin();
    }, SYNC_MS);
    return slice.length;
  }

  /** Keeps the file within its size, a step at a time. Returns whether there was anything to do. */
  #fit(database: Database, table: EventTable): boolean {
    if (this.#closing !== undefined) return false;
    const { maxBytes } = this.#options;
    const { all, used } = database.size();
    if (used > maxBytes) {
      let dropped = false;
      database.transaction(() => {
        dropped = table.dropOldest(SLICE);
      });
      return dropped;
    }
    if (all <= maxBytes + SLACK_BYTES) return false;
    database.shrink();
    return true;
  }

  async #move(database: Database): Promise<void> {
    if ((await database.walBytes()) > this.#walMost) await database.checkpoint();
    this.#walMost = WAL_BYTES;
  }

  #succeeded(): void {
    const { file, log } = this.#options;
    if (this.#failure !== undefined) log.info({ kind: 'system', msg: `The event log ${file} can be used again.` });
    const { lost } = this.#waiting;
    if (lost > 0) log.warn({ kind: 'system', msg: `${lost} events are missing in the event log.` });
    this.#failure = undefined;
    this.#waiting.forgetLost();
  }

  /** However many read, one of them has its turn in a round: nobody who writes, or does anything else, waits for all. */
  #nextReading(): Promise<unknown> {
    this.#readings = this.#readings.then(nextRound);
    return this.#readings;
  }
}
