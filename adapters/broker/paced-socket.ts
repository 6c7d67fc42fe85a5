import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Bytes that are handed on in one turn of the event loop: a dozen small MQTT packets. */
const SLICE = 512;

/** Sees each slice before it is handed on; `hold` is the last one until `release`. */
export type Inspect = (slice: Buffer) => 'go' | 'hold';

/**
 * A socket whose input is handed on in small slices, one a turn of the event loop. Node reads 64 KiB at once, which is
 * over a thousand MQTT packets: an emergency stop on another connection would wait for all of them.
 */
export class PacedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #inspect: Inspect | undefined;
  #asked = false;
  #open = true;
  #held = false;

  constructor(socket: Socket, inspect?: Inspect) {
    super({ allowHalfOpen: false, readableHighWaterMark: SLICE });
    this.#socket = socket;
    this.#inspect = inspect;
    socket.on('readable', () => this.#pass());
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  /** Goes on after a `hold`. */
  release(): void {
    setImmediate(() => {
      this.#open = true;
      this.#pass();
    });
  }

  /** Lets what comes in wait, or come again. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.#pass();
  }

  override _read(): void {
    this.#asked = true;
    this.#pass();
  }

  #pass(): void {
    if (!this.#asked || !this.#open || this.#held) return;
    const slice: unknown = this.#socket.read(Math.min(this.#socket.readableLength, SLICE) || undefined);
    if (!(slice instanceof Buffer)) return;
    this.#asked = false;
    this.#open = false;
    if (this.#inspect?.(slice) !== 'hold') this.release();
    this.push(slice);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
