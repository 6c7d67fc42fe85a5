/** Bytes gathered before a new slab is begun. */
const SLAB = 32 * 1024;
/** What has gathered is handed on at this size, so that the receiver starts while the rest of the tick still runs. */
const FLUSH_AT = 16 * 1024;

/**
 * Gathers small packets and hands them on as one piece at the end of the tick, in the order in which they came: one
 * system call and one buffer instead of several for each packet, and no wait.
 */
export class Outbox {
  readonly #write: (bytes: Buffer) => void;
  readonly #flushNow = () => {
    this.#scheduled = false;
    this.flush();
  };
  #slab: Buffer | undefined;
  #from = 0;
  #to = 0;
  #scheduled = false;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Bytes that wait for the end of the tick. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** Where the last `reserve` left its room. */
  at = 0;

  /** Makes room for one packet of `size` bytes: the caller fills the returned buffer from `at` on, all of it, at once. */
  reserve(size: number): Buffer {
    let slab = this.#slab;
    if (slab === undefined || slab.length - this.#to < size) {
      this.flush();
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB, size));
      this.#slab = slab;
      this.#from = 0;
      this.#to = 0;
    } else if (this.#to - this.#from >= FLUSH_AT) {
      this.flush();
    }
    this.at = this.#to;
    this.#to += size;
    if (!this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flushNow);
    }
    return slab;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.at);
  }

  flush(): void {
    if (this.#slab === undefined || this.#to === this.#from) return;
    const bytes = this.#slab.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#write(bytes);
  }
}
