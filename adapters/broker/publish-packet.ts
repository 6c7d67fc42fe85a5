import type { Outbox } from './outbox.ts';

const PUBLISH = 0x30;
const RETAIN = 0x01;
const USER_PROPERTY = 0x26;
const SUBSCRIPTION_ID = 0x0b;
/** The user property that marks a message as published by one certain link. */
const MARK_KEY = 'from';

/** A PUBLISH packet, taken apart. One object serves many packets: read it before the next one comes. */
export interface PublishView {
  topic: string;
  qos: number;
  retain: boolean;
  packetId: number;
  payloadAt: number;
  /** The first subscription identifier, 0 for none; further ones are in `moreIds`. */
  subscriptionId: number;
  moreIds: readonly number[];
  /** The mark that the publisher's link put on, '' for none. */
  mark: string;
}

export function emptyView(): PublishView {
  return { topic: '', qos: 0, retain: false, packetId: 0, payloadAt: 0, subscriptionId: 0, moreIds: NONE, mark: '' };
}

const NONE: readonly number[] = [];
const WIDTHS: Readonly<Record<number, number>> = { 1: 1, 2: 4, 35: 2 };

/** Bytes of the PUBLISH properties that carry the mark, their length first. */
export function markProperties(mark: string): Buffer {
  const key = Buffer.from(MARK_KEY);
  const value = Buffer.from(mark);
  const bytes = Buffer.alloc(1 + 1 + 2 + key.length + 2 + value.length);
  bytes[0] = bytes.length - 1;
  bytes[1] = USER_PROPERTY;
  bytes.writeUInt16BE(key.length, 2);
  key.copy(bytes, 4);
  bytes.writeUInt16BE(value.length, 4 + key.length);
  value.copy(bytes, 6 + key.length);
  return bytes;
}

/** No properties, as MQTT 5 writes it. */
export const NO_PROPERTIES: Buffer = Buffer.from([0]);

/** Size in bytes of the packet that `writePublish` writes. */
export function publishSize(
  topicBytes: number,
  payloadBytes: number,
  qos: 0 | 1,
  properties: Buffer | undefined,
): number {
  return headed(2 + topicBytes + (qos === 0 ? 0 : 2) + (properties?.length ?? 0) + payloadBytes);
}

function headed(remaining: number): number {
  return remaining + (remaining < 128 ? 2 : remaining < 16_384 ? 3 : remaining < 2_097_152 ? 4 : 5);
}

/** `properties` undefined: MQTT 3.1.1. */
export function writePublish(
  outbox: Outbox,
  topic: string,
  payload: string | Uint8Array,
  flags: { qos: 0 | 1; retain: boolean },
  packetId: number,
  properties: Buffer | undefined,
): void {
  const topicBytes = Buffer.byteLength(topic);
  const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  const { qos } = flags;
  const remaining = 2 + topicBytes + (qos === 0 ? 0 : 2) + (properties?.length ?? 0) + payloadBytes;
  const bytes = outbox.reserve(headed(remaining));
  let at = outbox.at;
  bytes[at++] = PUBLISH | (qos << 1) | (flags.retain ? RETAIN : 0);
  let rest = remaining;
  for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  bytes[at++] = topicBytes >>> 8;
  bytes[at++] = topicBytes & 0xff;
  at += writeText(bytes, topic, topicBytes, at);
  if (qos !== 0) {
    bytes[at++] = packetId >>> 8;
    bytes[at++] = packetId & 0xff;
  }
  if (properties !== undefined) {
    bytes.set(properties, at);
    at += properties.length;
  }
  if (typeof payload === 'string') writeText(bytes, payload, payloadBytes, at);
  else bytes.set(payload, at);
}

/** As many bytes as characters means ASCII, which the shorter way writes as well. */
function writeText(bytes: Buffer, text: string, length: number, at: number): number {
  return bytes.write(text, at, length, length === text.length ? 'latin1' : 'utf8');
}

/** Fills `view`. False when the packet is malformed. */
export function readPublish(
  view: PublishView,
  header: number,
  bytes: Buffer,
  start: number,
  end: number,
  version: 4 | 5,
): boolean {
  view.qos = (header >> 1) & 3;
  view.retain = (header & RETAIN) !== 0;
  view.packetId = 0;
  view.subscriptionId = 0;
  view.moreIds = NONE;
  view.mark = '';
  let at = start + 2;
  if (at > end || view.qos === 3) return false;
  const topicEnd = at + bytes.readUInt16BE(start);
  if (topicEnd > end || topicEnd === at) return false;
  view.topic = bytes.toString('utf8', at, topicEnd);
  at = topicEnd;
  if (view.qos > 0) {
    if (at + 2 > end) return false;
    view.packetId = bytes.readUInt16BE(at);
    at += 2;
  }
  view.payloadAt = version === 5 ? readProperties(view, bytes, at, end) : at;
  return view.payloadAt <= end;
}

/** Where the properties end; past `end` when they are malformed. */
function readProperties(view: PublishView, bytes: Buffer, start: number, end: number): number {
  const broken = end + 1;
  let at = start;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 21) return broken;
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const stop = at + length;
  if (stop > end) return broken;
  while (at < stop) {
    const property = bytes[at++] ?? 0;
    if (property === SUBSCRIPTION_ID) {
      let id = 0;
      for (let shift = 0; at < stop; shift += 7) {
        const byte = bytes[at++] ?? 0;
        id |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      if (view.subscriptionId === 0) view.subscriptionId = id;
      else view.moreIds = [...view.moreIds, id];
      continue;
    }
    const width = WIDTHS[property];
    if (width !== undefined) {
      at += width;
      continue;
    }
    const first = at;
    at = skipText(bytes, at, stop);
    if (property !== USER_PROPERTY || at > stop) continue;
    const second = at;
    at = skipText(bytes, at, stop);
    if (at <= stop && bytes.toString('utf8', first + 2, second) === MARK_KEY) {
      view.mark = bytes.toString('utf8', second + 2, at);
    }
  }
  return at === stop ? stop : broken;
}

function skipText(bytes: Buffer, at: number, stop: number): number {
  return at + 2 > stop ? stop + 1 : at + 2 + bytes.readUInt16BE(at);
}
