import { fstatSync, readSync } from 'node:fs';

const BLOCK_BYTES = 64 * 1024;

/** An open file as bytes at places, of which one block is in memory. */
export class Bytes {
  readonly size: number;
  readonly #fd: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #from = 0;
  #to = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.size = fstatSync(fd).size;
  }

  /** Up to `length` bytes (a block at most), fewer at the end of the file; valid until the next call. */
  at(place: number, length: number): Buffer {
    if (place < this.#from || place + length > this.#to) {
      this.#from = place;
      this.#to = place + readSync(this.#fd, this.#block, 0, BLOCK_BYTES, place);
    }
    return this.#block.subarray(place - this.#from, Math.min(place + length, this.#to) - this.#from);
  }

  /** As Latin 1; empty where the place is before the file. */
  text(place: number, length: number): string {
    return place < 0 ? '' : this.at(place, length).toString('latin1');
  }

  /** The first place of a byte from here on; undefined where there is none before `end`. */
  find(byte: number, place: number, end: number): number | undefined {
    for (let from = place; from < end; from += BLOCK_BYTES) {
      const found = this.at(from, BLOCK_BYTES).indexOf(byte);
      if (found !== -1) return from + found < end ? from + found : undefined;
    }
    return undefined;
  }
}
