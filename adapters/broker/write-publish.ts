import type { Duplex } from 'node:stream';
import packets from 'mqtt-packet';

export interface Publication {
  topic: string;
  payload: string | Buffer;
  retain: boolean;
}

/**
 * Writes a PUBLISH of QoS 0. The first in a turn of the event loop leaves at once: it is the answer that somebody waits
 * for. What follows in the same turn goes together, in one piece.
 */
export function writePublish(stream: Duplex, { topic, payload, retain }: Publication, protocolVersion: 4 | 5): void {
  const packet = { cmd: 'publish', topic, payload, qos: 0, retain, dup: false } as const;
  // In one piece: mqtt-packet would write each of its fields to the stream.
  stream.write(packets.generate(packet, { protocolVersion }));
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
