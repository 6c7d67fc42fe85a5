import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';

/** A request as it goes over the wire. */
export interface Asked {
  method: string;
  /** With its query, percent-encoded. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Its sender goes silent in the midst of it. */
  isUnfinished?: boolean;
}

export interface Answered {
  status: number;
  headers: IncomingMessage['headers'];
  /** The media type without its parameters. */
  type: string;
  text: string;
  /** The text read as JSON; undefined where it is none. */
  body: unknown;
}

/** No answer of ours takes longer, a slow machine and a full queue of requests included. */
const PATIENCE_MS = 20_000;
/** So much of an answer without end is read. */
const ENDLESS = 'text/event-stream';

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Somebody who asks over real HTTP, on connections that are kept open. */
export class Client {
  readonly base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: Agent;

  constructor(base: string, headers: Record<string, string> = {}, connections = 16) {
    this.base = base;
    this.#headers = headers;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Resolves with the answer, of one without end with its head; rejects where none comes. */
  async ask({ method, path, headers = {}, body, isUnfinished = false }: Asked): Promise<Answered> {
    const { hostname, port } = new URL(this.base);
    const sent = request({
      hostname,
      port,
      method,
      path,
      agent: this.#agent,
      headers: { ...this.#headers, ...(body !== undefined && { 'content-length': byteLength(body) }), ...headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (isUnfinished) sent.write(body?.slice(0, 1));
    else sent.end(body);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    const type = (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
    let text = '';
    if (type === ENDLESS) sent.destroy();
    else for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    return { status: answer.statusCode ?? 0, headers: answer.headers, type, text, body: jsonOf(text) };
  }

  /** Asks with a JSON body, or without one. */
  json(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    if (body === undefined) return this.ask({ method, path, headers });
    return this.ask({
      method,
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** As `json`, where nothing but success will do. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const { status, text, body: answered } = await this.json(method, path, body);
    assert.ok(status < 300, `${method} ${path} ${JSON.stringify(body)} answered ${status}: ${text}`);
    return Object(answered);
  }
}

const byteLength = (body: string | Uint8Array): number => Buffer.byteLength(body);
