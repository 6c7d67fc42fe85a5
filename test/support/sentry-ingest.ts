import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What Sentry is told of an error, as far as tests look at it. */
export interface Told {
  event_id: string;
  message?: string;
  level?: string;
  environment?: string;
  release?: string;
  server_name?: string;
  tags?: Record<string, string>;
  extra?: Record<string, unknown>;
  exception?: { values: { type: string; value: string; stacktrace?: { frames: { filename?: string }[] } }[] };
}

/** Reads an envelope: its header, then a header and a payload for each item, one JSON value a line. */
function eventsOf(envelope: string): Told[] {
  const [, ...lines] = envelope.split('\n').map((line) => JSON.parse(line));
  return lines.filter((_, n) => n % 2 === 1 && lines[n - 1]?.type === 'event');
}

/** Stands in for Sentry's ingest: takes envelopes over HTTP and keeps them. */
export class SentryIngest {
  readonly #server: Server;
  /** All that came, as it came. */
  readonly bodies: string[] = [];
  readonly urls: string[] = [];
  /** What it answers; undefined: nothing at all. */
  status: number | undefined = 200;
  #told: Told[] = [];
  #waiting: (() => void) | undefined;

  private constructor() {
    this.#server = createServer((req, res) => {
      let body = '';
      req.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => {
        this.urls.push(req.url ?? '');
        this.bodies.push(body);
        this.#told.push(...eventsOf(body));
        if (this.status !== undefined) res.writeHead(this.status).end('{}');
        this.#waiting?.();
      });
    });
  }

  static async start(): Promise<SentryIngest> {
    const ingest = new SentryIngest();
    await new Promise<void>((resolve) => ingest.#server.listen(0, '127.0.0.1', resolve));
    return ingest;
  }

  get dsn(): string {
    return `http://publickey@127.0.0.1:${(this.#server.address() as AddressInfo).port}/42`;
  }

  /** The first so many errors, once they are here. */
  async told(count = 1): Promise<Told[]> {
    while (this.#told.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#told;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
