import type { Socket } from 'node:net';
import { Outbox } from './outbox.ts';

/** Bytes of one turn: the fewest, the first and the most. The most also bounds what a turn makes others write. */
const LEAST = 128;
const FIRST = 1024;
const MOST = 4096;
/** A turn that took longer is followed by a smaller one, a much shorter one by a larger. */
const TURN_MS = 0.4;
/** Bytes that may wait for a client that does not read. */
const MAX_UNSENT = 4 * 1024 * 1024;

export interface PaceLimits {
  /** Bytes of the largest packet that is taken. */
  maxPacket: number;
  /** Called once, before the socket is destroyed. */
  refused(reason: 'packet too large' | 'does not read'): void;
}

/**
 * Makes a client's socket a good neighbour, for a broker that reads by `read()` on `readable` and writes small pieces:
 * what came in is handed out in small turns of the event loop, an oversize packet or a client that never reads ends the
 * connection, and what is written in one tick leaves in one piece. Returns where to write beside the broker.
 */
export function pace(socket: Socket, limits: PaceLimits): Outbox {
  const refuse = (reason: 'packet too large' | 'does not read') => {
    if (socket.destroyed) return;
    limits.refused(reason);
    socket.destroy();
  };
  paceReading(socket, new PacketMeter(limits.maxPacket), refuse);
  return gatherWrites(socket, refuse);
}

function paceReading(socket: Socket, meter: PacketMeter, refuse: (reason: 'packet too large') => void): void {
  const read = socket.read.bind(socket);
  let quota = FIRST;
  let open = true;
  let connecting = true;
  let asked = false;
  let began = 0;
  const nextTurn = () => {
    open = true;
    if (!asked || socket.destroyed) return;
    asked = false;
    socket.emit('readable');
  };
  const measure = () => {
    const took = performance.now() - began;
    if (took > TURN_MS) quota = Math.max(LEAST, quota >> 1);
    else if (took < TURN_MS / 3) quota = Math.min(MOST, quota << 1);
  };
  socket.read = (size?: number) => {
    // Node asks so for more from the system; it takes nothing.
    if (size === 0) return read(0);
    if (!open) {
      asked = true;
      return null;
    }
    const available = socket.readableLength;
    if (available === 0) return read();
    const chunk: unknown = read(Math.min(available, quota));
    if (!(chunk instanceof Buffer)) return chunk;
    open = false;
    // Aedes looks at a CONNECT one turn later: what follows must not be read before, or it would go unchecked.
    setImmediate(connecting ? () => setImmediate(nextTurn) : nextTurn);
    if (chunk.length === quota) {
      began = performance.now();
      process.nextTick(measure);
    }
    const finished = meter.count(chunk);
    if (finished === undefined) {
      refuse('packet too large');
      return null;
    }
    // With no packet complete nobody would ask for the rest.
    if (finished === 0) asked = true;
    else connecting = false;
    return chunk;
  };
}

function gatherWrites(socket: Socket, refuse: (reason: 'does not read') => void): Outbox {
  const write = socket.write.bind(socket);
  const end = socket.end.bind(socket);
  const outbox = new Outbox((bytes) => {
    if (socket.destroyed) return;
    write(bytes);
    if (socket.writableLength > MAX_UNSENT) refuse('does not read');
  });
  // The broker needs no word of a full buffer: it would wait for this client, and everybody who publishes with it.
  socket.write = (piece: unknown) => {
    outbox.append(piece instanceof Uint8Array ? piece : Buffer.from(String(piece)));
    return true;
  };
  socket.end = () => {
    outbox.flush();
    return end();
  };
  socket.cork = () => {};
  socket.uncork = () => {};
  return outbox;
}

/** Follows the lengths of MQTT packets through a stream of bytes. */
class PacketMeter {
  readonly #max: number;
  /** Bytes of the present packet that are still to come; -1 while its length is being read. */
  #left = 0;
  #length = 0;
  #shift = -1;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many packets end in these bytes; undefined when one is larger than allowed. */
  count(bytes: Buffer): number | undefined {
    let finished = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) finished++;
        continue;
      }
      const byte = bytes[at++] ?? 0;
      if (this.#shift < 0) {
        this.#shift = 0;
        this.#length = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 2 ** this.#shift;
      this.#shift += 7;
      if (this.#length > this.#max || this.#shift > 28) return undefined;
      if (byte >= 0x80) continue;
      this.#shift = -1;
      this.#left = this.#length;
      if (this.#left === 0) finished++;
    }
    return finished;
  }
}
