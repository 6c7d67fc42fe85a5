import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { SkullError } from '../../core/model/errors.ts';
import type { EventKind } from '../../core/model/event.ts';
import { EventLog, type EventQuery, RecentEvents } from '../../core/model/event-log.ts';
import { readEnvironment } from '../../runtime/env.ts';
import { createHttpApp } from '../../runtime/http/app.ts';
import { EventStream } from '../../runtime/http/event-stream.ts';
import { SimulatedClock } from './clock.ts';
import { EventReader } from './event-reader.ts';
import { keepingLog } from './ports.ts';

export const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

/** Keeps events as RecentEvents does; its readings take as many turns as the test says, before and after they look. */
class SlowEvents extends RecentEvents {
  before = 0;
  after = 0;
  reads = 0;
  /** So many readings succeed. */
  readable = Number.POSITIVE_INFINITY;

  override async read(query: EventQuery) {
    this.reads++;
    for (let n = 0; n < this.before; n++) await turn();
    if (this.reads > this.readable) throw new SkullError('unavailable', 'The event log cannot be read.');
    const found = await super.read(query);
    for (let n = 0; n < this.after; n++) await turn();
    return found;
  }
}

/** The stream of events behind the guard, over real HTTP. */
export class EventStage {
  readonly log = keepingLog();
  readonly clock = new SimulatedClock();
  readonly store = new SlowEvents();
  readonly events = new EventLog(this.store, this.log);
  readonly stream = new EventStream(this);
  readonly server: Server;
  readonly opened: EventReader[] = [];
  /** How many answers are being worked at. */
  serving = 0;
  readonly #url: string;

  private constructor(server: Server, variables: Record<string, string>) {
    const app = createHttpApp({
      env: readEnvironment({ HOST: '127.0.0.1', ...variables }),
      log: this.log,
      redHttpNode: express(),
      stream: (req, res, pass) => {
        this.serving++;
        return this.stream.serve(req, res, pass).finally(() => this.serving--);
      },
      isReady: () => true,
    });
    this.server = server.on('request', app);
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events/stream`;
  }

  static async start(variables: Record<string, string> = {}): Promise<EventStage> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return new EventStage(server, variables);
  }

  async stop(): Promise<void> {
    for (const reader of this.opened) reader.leave();
    this.stream.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  happen(
    count = 1,
    { kind = 'config', subject = 'gaze', size = 0 }: { kind?: EventKind; subject?: string; size?: number } = {},
  ): void {
    for (let n = 0; n < count; n++) {
      const data = size > 0 ? { text: 'x'.repeat(size) } : {};
      this.events.append({ kind, subject, cause: 'rest', data }, this.clock.now());
    }
  }

  async open(query = '', headers: Record<string, string> = {}, options = {}): Promise<EventReader> {
    const reader = await EventReader.open(this.#url + query, headers, options);
    this.opened.push(reader);
    return reader;
  }

  /** A reader who has had the first bytes. */
  async reading(query = '', headers: Record<string, string> = {}): Promise<EventReader> {
    const reader = await this.open(query, headers);
    assert.equal(reader.status, 200);
    await reader.until(({ text }) => text.length > 0);
    return reader;
  }

  ask(query = '', init: RequestInit = {}): Promise<Response> {
    return fetch(this.#url + query, init);
  }

  /** The problem that a request is refused with. */
  async refused(status: number, query = '', headers: Record<string, string> = {}) {
    const answer = await this.ask(query, { headers });
    assert.equal(answer.status, status);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    return answer.json();
  }
}

/** The header of a reader who comes again. */
export const behind = (id: number | string) => ({ 'last-event-id': String(id) });

/** The numbers from one to another. */
export const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
