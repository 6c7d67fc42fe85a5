/** How long packets are handed on before everybody else gets a turn of the event loop. */
const SLICE_MS = 0.5;
/** Reading stops above and goes on below: what waits here cannot be dropped by a broker that runs out of patience. */
const HIGH_WATER = 8 * 1024 * 1024;
const LOW_WATER = 4 * 1024 * 1024;
/** A larger packet is passed over. */
export const MAX_PACKET = 4 * 1024 * 1024;

export interface InboxEvents {
  /** `bytes` from `start` to `end` is the packet's body, `header` its first byte. */
  packet(header: number, bytes: Buffer, start: number, end: number): void;
  pause(): void;
  resume(): void;
  /** A packet of `size` bytes was passed over. */
  oversize(size: number): void;
  /** The bytes are not MQTT; nothing more is handed on. */
  broken(): void;
}

/**
 * Cuts a stream of bytes into MQTT packets and hands them on in order, in slices of half a millisecond: a flood on one
 * connection leaves room for what comes in on another.
 */
export class Inbox {
  readonly #events: InboxEvents;
  readonly #continue = () => {
    this.#scheduled = false;
    this.#drain();
  };
  #waiting: Buffer[] = [];
  #current: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes in `#waiting`. */
  #queued = 0;
  /** Bytes that the unfinished packet in front needs in all. */
  #need = 0;
  #skip = 0;
  #scheduled = false;
  #busy = false;
  #paused = false;
  #stopped = false;

  constructor(events: InboxEvents) {
    this.#events = events;
  }

  push(chunk: Buffer): void {
    if (this.#stopped) return;
    this.#waiting.push(chunk);
    this.#queued += chunk.length;
    if (!this.#scheduled && !this.#busy) this.#drain();
    if (!this.#paused && this.#queued > HIGH_WATER) {
      this.#paused = true;
      this.#events.pause();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#current = Buffer.alloc(0);
  }

  #drain(): void {
    this.#busy = true;
    const deadline = performance.now() + SLICE_MS;
    while (this.#next()) {
      if (performance.now() < deadline) continue;
      this.#scheduled = true;
      setImmediate(this.#continue);
      break;
    }
    this.#busy = false;
    if (this.#paused && !this.#stopped && this.#queued < LOW_WATER) {
      this.#paused = false;
      this.#events.resume();
    }
  }

  /** Hands one packet on. False when none is complete. */
  #next(): boolean {
    if (this.#skip > 0 && !this.#pass()) return false;
    while (!this.#stopped) {
      const bytes = this.#current;
      const at = this.#at;
      const available = bytes.length - at;
      if (available >= 2) {
        let length = 0;
        let shift = 0;
        let start = at + 1;
        let byte = 0x80;
        while (byte >= 0x80 && shift <= 21 && start < bytes.length) {
          byte = bytes[start++] ?? 0;
          length |= (byte & 0x7f) << shift;
          shift += 7;
        }
        if (byte < 0x80) {
          const end = start + length;
          if (length > MAX_PACKET) {
            this.#events.oversize(length);
            this.#skip = end - at;
            return this.#pass() && this.#next();
          }
          if (end <= bytes.length) {
            this.#at = end;
            this.#events.packet(bytes[at] ?? 0, bytes, start, end);
            return true;
          }
          this.#need = end - at;
        } else if (shift > 21) {
          this.stop();
          this.#events.broken();
          return false;
        } else this.#need = available + 1;
      } else this.#need = 2;
      if (!this.#join()) return false;
    }
    return false;
  }

  /** Brings what waits behind the unfinished packet. False while that is too little. */
  #join(): boolean {
    const rest = this.#current.length - this.#at;
    if (rest + this.#queued < this.#need || this.#queued === 0) return false;
    if (rest === 0) {
      this.#current = this.#waiting.shift() ?? this.#current;
      this.#queued -= this.#current.length;
    } else {
      const parts = [this.#current.subarray(this.#at)];
      for (let size = rest; size < this.#need; ) {
        const part = this.#waiting.shift();
        if (part === undefined) break;
        this.#queued -= part.length;
        size += part.length;
        parts.push(part);
      }
      this.#current = Buffer.concat(parts);
    }
    this.#at = 0;
    return true;
  }

  /** Passes over the bytes of an oversize packet. False while more of it is to come. */
  #pass(): boolean {
    for (;;) {
      const rest = this.#current.length - this.#at;
      if (rest >= this.#skip) {
        this.#at += this.#skip;
        this.#skip = 0;
        return true;
      }
      this.#skip -= rest;
      const chunk = this.#waiting.shift();
      this.#current = chunk ?? Buffer.alloc(0);
      this.#at = 0;
      if (chunk === undefined) return false;
      this.#queued -= chunk.length;
    }
  }
}
