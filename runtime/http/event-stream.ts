import type { Request, Response } from 'express';
import { SkullError } from '../../core/model/errors.ts';
import type { EventRecord } from '../../core/model/event.ts';
import { type EventLog, type EventQuery, isAsked } from '../../core/model/event-log.ts';
import type { Clock, Log } from '../../core/model/ports.ts';
import { Event } from '../../core/skull/channels/event.ts';
import type { Pass } from '../../core/skull/operations/pass.ts';
import { askedBy } from '../../core/skull/operations/stream.ts';
import { inTimezone } from '../../core/skull/timezone.ts';

const MOST_READERS = 1000;
/** So many bytes may wait for a reader. */
const MOST_WAITING = 256 * 1024;
/** So many events are read from the log at a time. */
const PAGE = 100;
const BEAT_MS = 15_000;
/** After so long a reader who was cut off comes again. */
const RETRY_MS = 2000;
const LOG_EVERY_MS = 60_000;
/** So many readers are written to before anything else has its turn. */
const SLICE = 50;

const BEAT = Buffer.from(':\n\n');
const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'X-Accel-Buffering': 'no',
  Connection: 'close',
};

interface Reader {
  readonly res: Response;
  readonly asked: EventQuery;
  readonly timezone: string | undefined;
  /** Readers with the same are sent the same. */
  readonly form: string;
  /** It gets events as they come, those with greater numbers than `after`; until then it is sent what the log keeps. */
  live: boolean;
  after: number;
  /** Goes on with what waits for room; undefined while nothing does. */
  wake: (() => void) | undefined;
  /** It waited for room at the last beat already. */
  stalled: boolean;
}

/** Events of one turn, each turned into text once per time zone, all of them into bytes once per form. */
class Batch {
  readonly first: number;
  readonly #events: readonly EventRecord[];
  readonly #texts = new Map<string | undefined, string[]>();
  readonly #bytes = new Map<string, Buffer>();

  constructor(events: readonly EventRecord[]) {
    this.#events = events;
    this.first = events[0]?.seq ?? 0;
  }

  /** Empty where there is nothing for this reader. */
  bytesFor(reader: Reader): Buffer {
    // Who came meanwhile has had a part of it.
    if (reader.after >= this.first) return this.#make(reader);
    const made = this.#bytes.get(reader.form) ?? this.#make(reader);
    this.#bytes.set(reader.form, made);
    return made;
  }

  #make({ asked, after, timezone }: Reader): Buffer {
    const texts = this.#texts.get(timezone) ?? this.#events.map((event) => textOf(event, timezone));
    this.#texts.set(timezone, texts);
    const isWanted = (event: EventRecord | undefined) =>
      event !== undefined && event.seq > after && isAsked(event, asked);
    return Buffer.from(texts.filter((_, n) => isWanted(this.#events[n])).join(''));
  }
}

/**
 * Answers `GET /events/stream`: server-sent events as they come, behind a `Last-Event-ID` those that are kept first. All
 * readers share one listener and one timer, and there are none while nobody reads.
 */
export class EventStream {
  readonly #events: EventLog;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #readers = new Set<Reader>();
  /** What happens while the log is read, for each reader that is being sent what it keeps. */
  readonly #meanwhile = new Set<EventRecord[]>();
  #pending: EventRecord[] = [];
  #told = 0;
  #telling = false;
  #turns: Promise<unknown> = Promise.resolve();
  #release: (() => void) | undefined;
  #timer: unknown;
  #closed = false;
  #cutOff = 0;
  #unlogged = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor({ events, clock, log }: { events: EventLog; clock: Clock; log: Log }) {
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
  }

  /** How many read now. */
  get readers(): number {
    return this.#readers.size;
  }

  /** How many were cut off since the start, because they read too slowly. */
  get cutOff(): number {
    return this.#cutOff;
  }

  /** Rejects with a SkullError `invalid` or `unavailable` as long as nothing is answered, or with what broke the answer off. */
  async serve(req: Request, res: Response, { timezone }: Pass): Promise<void> {
    const about = askedBy({ ...req.query });
    const last = lastEventId(req.headers['last-event-id']);
    if (this.#closed) throw new SkullError('unavailable', 'The orchestrator is stopping.');
    if (req.method === 'HEAD') {
      res.writeHead(200, HEADERS).end();
      return;
    }
    if (this.#readers.size >= MOST_READERS) {
      throw new SkullError('unavailable', `${MOST_READERS} readers have the stream open already: come again later.`);
    }
    const asked: EventQuery = { ...about, first: 'oldest', limit: PAGE };
    const form = JSON.stringify([about, timezone]);
    const reader: Reader = { res, asked, timezone, form, live: false, after: 0, wake: undefined, stalled: false };
    this.#join(reader);
    const { lastSeq } = this.#events;
    if (last !== undefined && last <= lastSeq) {
      await this.#replay(reader, last);
      return;
    }
    begin(res);
    if (last !== undefined) res.write(`: there is no event ${last} yet, the last one is ${lastSeq}: from now on\n\n`);
    reader.after = lastSeq;
    reader.live = true;
  }

  /** Ends all answers; there will be no more. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) {
      this.#leave(reader);
      // Where nothing was answered yet its reading of the log still will.
      if (reader.res.headersSent) reader.res.end();
    }
  }

  #join(reader: Reader): void {
    const { res } = reader;
    this.#readers.add(reader);
    res.once('close', () => this.#leave(reader));
    res.on('drain', () => reader.wake?.());
    if (this.#release !== undefined) return;
    this.#told = this.#events.lastSeq;
    this.#release = this.#events.onEvent((event) => this.#take(event));
    this.#beatLater();
  }

  #leave(reader: Reader): void {
    this.#readers.delete(reader);
    reader.wake?.();
    if (this.#readers.size > 0) return;
    this.#release?.();
    this.#release = undefined;
    this.#clock.clearTimeout(this.#timer);
  }

  #cut(reader: Reader): void {
    this.#leave(reader);
    reader.res.destroy();
    this.#cutOff++;
    this.#unlogged++;
    const now = this.#clock.elapsed();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    const msg = 'cut off readers of the event stream who were too slow: they can go on where they were';
    this.#log.warn({ kind: 'rest', msg, count: this.#unlogged });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }

  #take(event: EventRecord): void {
    this.#told = event.seq;
    // A page more, and the log is read once more instead.
    for (const missed of this.#meanwhile) if (missed.length < PAGE) missed.push(event);
    this.#pending.push(event);
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(() => void this.#tell());
  }

  /** Everything that has happened, to everybody; what happens during that comes after it. */
  async #tell(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = new Batch(this.#pending);
      this.#pending = [];
      await this.#toAll((reader) => batch.bytesFor(reader));
    }
    this.#telling = false;
  }

  async #toAll(bytesFor: (reader: Reader) => Buffer): Promise<void> {
    let written = 0;
    for (const reader of this.#readers) {
      if (!reader.live) continue;
      const bytes = bytesFor(reader);
      if (bytes.length === 0) continue;
      if (reader.res.writableLength > MOST_WAITING) this.#cut(reader);
      else reader.res.write(bytes);
      if (++written % SLICE === 0) await nextRound();
    }
  }

  #beatLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#beatLater();
      for (const reader of this.#readers) {
        if (reader.stalled) this.#cut(reader);
        else reader.stalled = reader.wake !== undefined;
      }
      void this.#toAll(() => BEAT);
    }, BEAT_MS);
  }

  /** What is kept behind a number, no faster than it is read; from then on the reader is live. */
  async #replay(reader: Reader, behind: number): Promise<void> {
    const { res, asked, timezone } = reader;
    const isHere = () => this.#readers.has(reader);
    let after = behind;
    while (!reader.live) {
      await this.#turn();
      const missed: EventRecord[] = [];
      this.#meanwhile.add(missed);
      try {
        const page = await this.#events.read({ ...asked, after });
        if (this.#closed && !res.headersSent) throw new SkullError('unavailable', 'The orchestrator is stopping.');
        if (isHere() && !res.headersSent) begin(res);
        for (const event of page) {
          if (!isHere()) return;
          after = event.seq;
          if (!res.write(textOf(event, timezone))) await this.#room(reader);
        }
        if (!isHere()) return;
        if (page.length === PAGE || missed.length === PAGE) continue;
        for (const event of missed) if (event.seq > after && isAsked(event, asked)) res.write(textOf(event, timezone));
        reader.after = this.#told;
        reader.live = true;
      } finally {
        this.#meanwhile.delete(missed);
      }
    }
  }

  /** Resolves when a page may be read: one in a round of the event loop, however many want how much of what is kept. */
  #turn(): Promise<unknown> {
    this.#turns = this.#turns.then(nextRound);
    return this.#turns;
  }

  /** Resolves when there is room for more, or the reader is gone. */
  async #room(reader: Reader): Promise<void> {
    await new Promise<void>((resolve) => {
      reader.wake = resolve;
    });
    reader.wake = undefined;
    reader.stalled = false;
  }
}

const nextRound = (): Promise<unknown> => new Promise(setImmediate);

/** Without chunks, as it ends with the connection: they would take some tenth more of the processor for each event. */
function begin(res: Response): void {
  res.removeHeader('Transfer-Encoding');
  res.writeHead(200, HEADERS);
  res.write(`retry: ${RETRY_MS}\n\n`);
}

function textOf(event: EventRecord, timezone: string | undefined): string {
  const shown = timezone === undefined ? event : inTimezone(event, Event, timezone);
  return `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(shown)}\n\n`;
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const id = Number(header);
  if (typeof header === 'string' && /^[1-9]\d*$/.test(header) && Number.isSafeInteger(id)) return id;
  throw new SkullError('invalid', 'The header Last-Event-ID is invalid: it is not the number of an event.', {
    issues: [{ path: 'Last-Event-ID', message: 'is not the number of an event' }],
  });
}
