import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Heard {
  id: number;
  kind: string;
  data: Record<string, unknown>;
}

/** A reader of server-sent events over a connection of its own. */
export class EventReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** All that came. */
  text = '';
  ended = false;
  readonly #res: IncomingMessage;
  #wake: () => void = () => {};

  private constructor(res: IncomingMessage, reads: boolean) {
    this.#res = res;
    this.status = res.statusCode ?? 0;
    this.headers = res.headers;
    res.on('error', () => {});
    res.on('close', () => {
      this.ended = true;
      this.#wake();
    });
    if (!reads) return;
    res.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.#wake();
    });
  }

  /** Resolves with the head of the answer. With `reads: false` nothing more is ever read. */
  static open(url: string, headers: Record<string, string> = {}, { reads = true } = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get(url, { headers: { connection: 'keep-alive', ...headers }, agent: false }, (res) =>
        resolve(new EventReader(res, reads)),
      ).on('error', reject);
    });
  }

  get heard(): Heard[] {
    const blocks = this.text.split('\n\n').slice(0, -1);
    return blocks.flatMap((block) => {
      const found = /^id: (\d+)\nevent: (.*)\ndata: (.*)$/.exec(block);
      return found === null ? [] : [{ id: Number(found[1]), kind: found[2] ?? '', data: JSON.parse(found[3] ?? '') }];
    });
  }

  get ids(): number[] {
    return this.heard.map(({ id }) => id);
  }

  /** Resolves once what came fits. */
  async until(fits: (reader: EventReader) => boolean): Promise<void> {
    while (!fits(this)) {
      if (this.ended) throw new Error(`The stream ended after: ${this.text.slice(-500)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves once the other side has ended it. */
  async end(): Promise<void> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Takes so many bytes more, and then no more; for one that does not read. */
  async take(bytes: number): Promise<void> {
    for (let taken = 0; taken < bytes; ) {
      const chunk: Buffer | null = this.#res.read();
      if (chunk === null) await new Promise((resolve) => this.#res.once('readable', resolve));
      else taken += chunk.length;
    }
    this.#res.removeAllListeners('readable');
  }

  leave(): void {
    this.#res.destroy();
  }
}
