/** The MQTT packets around the messages, as far as a client with a clean session needs them. */

export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const SUBACK = 9;
export const UNSUBACK = 11;
export const DISCONNECT = 14;

export const PING: Buffer = Buffer.from([0xc0, 0]);
export const GOODBYE: Buffer = Buffer.from([0xe0, 0]);

export interface ConnectFields {
  version: 4 | 5;
  clientId: string;
  keepaliveSeconds: number;
  maxPacket: number;
  username?: string | undefined;
  password?: string | undefined;
  /** Retained, QoS 0. */
  will?: { topic: string; payload: string } | undefined;
}

export function connectPacket(fields: ConnectFields): Buffer {
  const { version, will, username, password } = fields;
  // 3.1.1 knows no password without a user name.
  const user = username ?? (password === undefined ? undefined : '');
  const flags = 0x02 | (will ? 0x24 : 0) | (user === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const maximumPacketSize = Buffer.from([5, 0x27, 0, 0, 0, 0]);
  maximumPacketSize.writeUInt32BE(fields.maxPacket, 2);
  return packet(0x10, [
    text('MQTT'),
    Buffer.from([version, flags]),
    uint16(fields.keepaliveSeconds),
    ...(version === 5 ? [maximumPacketSize] : []),
    text(fields.clientId),
    ...(will ? [...(version === 5 ? [Buffer.from([0])] : []), text(will.topic), text(will.payload)] : []),
    ...(user === undefined ? [] : [text(user)]),
    ...(password === undefined ? [] : [text(password)]),
  ]);
}

export interface Subscription {
  filter: string;
  qos: 0 | 1;
  /** MQTT 5: no message that this client published itself. */
  noLocal: boolean;
  /** MQTT 5: the retain flag as the publisher set it; otherwise it means "stored". */
  retainAsPublished: boolean;
  /** MQTT 5: whether to send what is stored. */
  sendStored: boolean;
}

/** `subscriptionId` 0: none. */
export function subscribePacket(
  version: 4 | 5,
  packetId: number,
  subscription: Subscription,
  subscriptionId: number,
): Buffer {
  const { filter, qos, noLocal, retainAsPublished, sendStored } = subscription;
  const id = varint(subscriptionId);
  const properties = subscriptionId === 0 ? [Buffer.from([0])] : [Buffer.from([1 + id.length, 0x0b]), id];
  const options = qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (sendStored ? 0 : 0x20);
  return packet(0x82, [
    uint16(packetId),
    ...(version === 5 ? properties : []),
    text(filter),
    Buffer.from([version === 5 ? options : qos]),
  ]);
}

export function unsubscribePacket(version: 4 | 5, packetId: number, filter: string): Buffer {
  return packet(0xa2, [uint16(packetId), ...(version === 5 ? [Buffer.from([0])] : []), text(filter)]);
}

export function pubackPacket(packetId: number): Buffer {
  return Buffer.from([0x40, 2, packetId >>> 8, packetId & 0xff]);
}

/** What the broker allows, with the defaults of MQTT 5. */
export interface Allowance {
  /** 0: accepted. */
  code: number;
  /** QoS 1 messages that may be on their way at once. */
  receiveMaximum: number;
  maximumQos: number;
  retain: boolean;
  maximumPacket: number;
  subscriptionIds: boolean;
  /** Undefined: as the client asked. */
  keepaliveSeconds: number | undefined;
}

export function readConnack(bytes: Buffer, start: number, end: number, version: 4 | 5): Allowance {
  const allowance: Allowance = {
    code: bytes[start + 1] ?? 0x80,
    receiveMaximum: 65_535,
    maximumQos: 2,
    retain: true,
    maximumPacket: 268_435_455,
    subscriptionIds: version === 5,
    keepaliveSeconds: undefined,
  };
  if (version === 4 || end - start < 3) return allowance;
  let at = start + 2;
  while (at < end && (bytes[at++] ?? 0) >= 0x80);
  while (at < end) {
    const property = bytes[at++];
    const width = { 17: 4, 19: 2, 33: 2, 34: 2, 36: 1, 37: 1, 39: 4, 40: 1, 41: 1, 42: 1 }[property ?? 0];
    if (at + (width ?? 2) > end) break;
    if (width !== undefined) {
      const value = bytes.readUIntBE(at, width);
      if (property === 0x13) allowance.keepaliveSeconds = value;
      if (property === 0x21) allowance.receiveMaximum = value;
      if (property === 0x24) allowance.maximumQos = value;
      if (property === 0x25) allowance.retain = value === 1;
      if (property === 0x27) allowance.maximumPacket = value;
      if (property === 0x29) allowance.subscriptionIds = value === 1;
      at += width;
      continue;
    }
    at += 2 + bytes.readUInt16BE(at);
    if (property === 0x26 && at + 2 <= end) at += 2 + bytes.readUInt16BE(at);
  }
  return allowance;
}

/** Whether a CONNACK code says that the broker does not speak the version asked for. */
export function refusesVersion(code: number): boolean {
  return code === 0x01 || code === 0x84;
}

/** What a CONNACK or DISCONNECT code means to a person. */
export function reasonOf(code: number): string {
  const known: Record<number, string> = {
    1: 'protocol version not supported',
    2: 'client id refused',
    3: 'broker unavailable',
    4: 'bad user name or password',
    5: 'not authorized',
    132: 'protocol version not supported',
    133: 'client id refused',
    134: 'bad user name or password',
    135: 'not authorized',
    136: 'broker unavailable',
    139: 'broker is shutting down',
    142: 'another client took the client id',
    149: 'packet too large',
  };
  return known[code] ?? `refused with code 0x${code.toString(16).padStart(2, '0')}`;
}

/** The last byte of a SUBACK with one filter: its QoS, or 0x80 and above when refused. */
export function grantedQos(bytes: Buffer, end: number): number {
  return bytes[end - 1] ?? 0x80;
}

function packet(header: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([header]), varint(body.length), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
