import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../core/model/ports.ts';
import * as wire from './control-packets.ts';
import { Inbox, MAX_PACKET } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { NO_PROPERTIES, publishSize, writePublish } from './publish-packet.ts';

const KEEPALIVE_SECONDS = 20;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;
/** A connection that lived shorter than this does not count as a recovery. */
const STABLE_MS = 5000;
/** Bytes that may wait to be sent; past this a broker or a network does not keep up. */
const MAX_UNSENT = 4 * 1024 * 1024;

/** The protocol version that works with this broker, as far as known; shared by the sessions of one link. */
export interface Protocol {
  version: 4 | 5;
  /** The broker has accepted this version. */
  proven: boolean;
}

export interface SessionOptions {
  host: string;
  port: number;
  tls: boolean;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  will?: { topic: string; payload: string } | undefined;
  clock: Clock;
  protocol: Protocol;
}

export interface SessionEvents {
  up(): void;
  /** Said once for each connection that ended and each attempt that failed. */
  down(reason: string): void;
  publish(header: number, bytes: Buffer, start: number, end: number): void;
  /** The broker acknowledged a subscription or its end. */
  acknowledged(packetId: number, code: number): void;
  /** There is room again after `congested`. */
  drained(): void;
  oversize(size: number): void;
}

interface Waiting {
  topic: string;
  payload: string;
  flags: { qos: 0 | 1; retain: boolean };
  properties: Buffer | undefined;
}

/**
 * One connection to a broker, made again for ever when it breaks. It keeps no MQTT session on the broker: who uses it
 * subscribes anew on `up`.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #socket: Socket | undefined;
  #outbox = new Outbox(() => {});
  #allowance: wire.Allowance | undefined;
  #version: 4 | 5 = 5;
  #timer: unknown;
  #retryMs = FIRST_RETRY_MS;
  #upSince = 0;
  #heard = true;
  #misses = 0;
  #packetId = 0;
  #inflight = new Set<number>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #closed = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
  }

  get up(): boolean {
    return this.#allowance !== undefined;
  }

  get version(): 4 | 5 {
    return this.#version;
  }

  /** Whether the broker tells by which subscription a message came. */
  get subscriptionIds(): boolean {
    return this.#allowance?.subscriptionIds ?? false;
  }

  /** Whether more waits to be sent than is reasonable. */
  get congested(): boolean {
    return (this.#socket?.writableLength ?? 0) + this.#waitingBytes > MAX_UNSENT;
  }

  start(): void {
    const { host, port, tls, protocol } = this.#options;
    this.#version = protocol.version;
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls ? connectTls({ host, port, ...servername }) : connectTcp({ host, port });
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    this.#socket = socket;
    this.#packetId = 0;
    const outbox = new Outbox((bytes) => void socket.write(bytes));
    this.#outbox = outbox;
    let reason = 'connection closed';
    let hungUp = false;
    const fail = (why: string) => {
      hungUp = false;
      reason = why;
      socket.destroy();
    };
    const inbox = new Inbox({
      packet: (header, bytes, start, end) => {
        const refused = this.#packet(header, bytes, start, end);
        if (refused !== undefined) fail(refused);
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      oversize: (size) => this.#events.oversize(size),
      broken: () => fail('what the broker sends is not MQTT'),
    });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      hungUp = true;
      outbox.append(
        wire.connectPacket({
          ...this.#options,
          version: this.#version,
          keepaliveSeconds: KEEPALIVE_SECONDS,
          maxPacket: MAX_PACKET,
        }),
      );
    });
    socket.on('data', (chunk: Buffer) => {
      this.#heard = true;
      inbox.push(chunk);
    });
    socket.on('drain', () => this.#events.drained());
    socket.on('error', (error) => {
      reason = error.message === '' ? String(Reflect.get(error, 'code')) : error.message;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      inbox.stop();
      // A broker that knows no MQTT 5 may also just hang up.
      if (hungUp && !this.up && !protocol.proven) protocol.version = this.#version === 5 ? 4 : 5;
      this.#ended(reason);
    });
    this.#timer = this.#options.clock.setTimeout(() => fail('no answer in time'), CONNECT_TIMEOUT_MS);
  }

  /** A number for a packet that the broker acknowledges. */
  nextPacketId(): number {
    do this.#packetId = (this.#packetId % 65_535) + 1;
    while (this.#inflight.has(this.#packetId));
    return this.#packetId;
  }

  send(bytes: Uint8Array): void {
    if (this.up) this.#outbox.append(bytes);
  }

  /** False when the broker would refuse a message of this size. `mark`: MQTT 5 properties to send along. */
  publish(topic: string, payload: string, flags: { qos: 0 | 1; retain: boolean }, mark?: Buffer): boolean {
    const allowance = this.#allowance;
    if (allowance === undefined) return true;
    const properties = this.#version === 5 ? (mark ?? NO_PROPERTIES) : undefined;
    const qos = allowance.maximumQos === 0 ? 0 : flags.qos;
    const retain = flags.retain && allowance.retain;
    if (payload.length * 3 + topic.length * 3 + 64 > allowance.maximumPacket) {
      const size = publishSize(Buffer.byteLength(topic), Buffer.byteLength(payload), qos, properties);
      if (size > allowance.maximumPacket) return false;
    }
    const full = qos === 1 && this.#inflight.size >= allowance.receiveMaximum;
    if (full || this.#waiting.length > 0) {
      this.#waiting.push({ topic, payload, flags: { qos, retain }, properties });
      this.#waitingBytes += topic.length + payload.length;
    } else this.#write(topic, payload, qos, retain, properties);
    return true;
  }

  /** Says goodbye, sends what waits and ends, within a second. */
  close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timeout = this.#options.clock.setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
      socket.once('close', () => {
        this.#options.clock.clearTimeout(timeout);
        resolve();
      });
      if (this.up) {
        this.#outbox.append(wire.GOODBYE);
        this.#outbox.flush();
        socket.end();
      } else socket.destroy();
    });
  }

  #write(topic: string, payload: string, qos: 0 | 1, retain: boolean, properties: Buffer | undefined): void {
    let packetId = 0;
    if (qos === 1) {
      packetId = this.nextPacketId();
      this.#inflight.add(packetId);
    }
    writePublish(this.#outbox, topic, payload, { qos, retain }, packetId, properties);
  }

  /** Why the connection must end, if it must. */
  #packet(header: number, bytes: Buffer, start: number, end: number): string | undefined {
    const type = header >> 4;
    if (type === wire.PUBLISH && this.up) this.#events.publish(header, bytes, start, end);
    else if (type === wire.CONNACK) return this.#connack(wire.readConnack(bytes, start, end, this.#version));
    else if (type === wire.DISCONNECT) return wire.reasonOf(end > start ? (bytes[start] ?? 0) : 0x8b);
    else if (end - start >= 2) {
      const packetId = bytes.readUInt16BE(start);
      if (type === wire.PUBACK) this.#puback(packetId);
      if (type === wire.SUBACK) this.#events.acknowledged(packetId, wire.grantedQos(bytes, end));
      if (type === wire.UNSUBACK) this.#events.acknowledged(packetId, 0);
    }
    return undefined;
  }

  #connack(allowance: wire.Allowance): string | undefined {
    if (this.up) return 'a second CONNACK';
    const { protocol } = this.#options;
    if (wire.refusesVersion(allowance.code) && this.#version === 5) {
      protocol.version = 4;
      this.#retryMs = 0;
    }
    if (allowance.code !== 0) return wire.reasonOf(allowance.code);
    protocol.version = this.#version;
    protocol.proven = true;
    this.#allowance = allowance;
    this.#upSince = this.#options.clock.now();
    this.#misses = 0;
    this.#options.clock.clearTimeout(this.#timer);
    this.#beat(((allowance.keepaliveSeconds ?? KEEPALIVE_SECONDS) * 1000) / 2);
    this.#events.up();
    return undefined;
  }

  /** Twice within the keep-alive time; silence over two beats is the end of the connection. */
  #beat(ms: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#misses = this.#heard ? 0 : this.#misses + 1;
      this.#heard = false;
      if (this.#misses >= 2) {
        this.#socket?.destroy(new Error('the broker fell silent'));
        return;
      }
      this.#outbox.append(wire.PING);
      this.#beat(ms);
    }, ms);
  }

  #puback(packetId: number): void {
    this.#inflight.delete(packetId);
    const room = this.#allowance?.receiveMaximum ?? 0;
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting;
      if (next === undefined || (next.flags.qos === 1 && this.#inflight.size >= room)) return;
      this.#waiting.shift();
      this.#waitingBytes -= next.topic.length + next.payload.length;
      this.#write(next.topic, next.payload, next.flags.qos, next.flags.retain, next.properties);
      if (this.#waiting.length === 0) this.#events.drained();
    }
  }

  #ended(reason: string): void {
    const { clock } = this.#options;
    const stable = this.up && clock.now() - this.#upSince >= STABLE_MS;
    if (stable) this.#retryMs = FIRST_RETRY_MS;
    this.#allowance = undefined;
    this.#inflight = new Set();
    this.#waiting = [];
    this.#waitingBytes = 0;
    clock.clearTimeout(this.#timer);
    if (!this.#closed) {
      this.#timer = clock.setTimeout(() => this.start(), this.#retryMs);
      const older = this.#retryMs === 0;
      this.#retryMs = older ? FIRST_RETRY_MS : Math.min(this.#retryMs * 2, LAST_RETRY_MS);
      // Trying the older protocol is no outage.
      if (older) return;
    }
    this.#events.down(reason);
  }
}
