/** Follows MQTT packets through a stream of bytes without taking them apart: only where each one ends. */
export class PacketMeter {
  readonly #max: number;
  /** Bytes of the present packet's body that are still to come. */
  #left = 0;
  #length = 0;
  /** Bits of the length that were read; -1 before a packet. */
  #bits = -1;

  /** `max`: bytes of the largest packet that is allowed. */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many packets end in these bytes; undefined when one is larger than allowed. */
  count(bytes: Uint8Array): number | undefined {
    let finished = 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) finished++;
        continue;
      }
      const byte = bytes[at++] ?? 0;
      if (this.#bits < 0) {
        this.#bits = 0;
        this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 2 ** this.#bits;
      this.#bits += 7;
      if (this.#length > this.#max || this.#bits > 28) return undefined;
      if (byte >= 0x80) continue;
      this.#bits = -1;
      this.#left = this.#length;
      if (this.#left === 0) finished++;
    }
    return finished;
  }
}
