import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import type { BrokerMessage, Log, Will } from '../../core/model/ports.ts';
import { covers, minimal } from './filters.ts';
import { PacedSocket } from './paced-socket.ts';
import { Router, type Subscriber } from './router.ts';
import { writePublish } from './write-publish.ts';

const KEEPALIVE_SECONDS = 20;
const RETRY_MS = 1000;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;
/** Bytes that may wait to be sent; past this the broker or the network does not keep up. */
const MAX_UNSENT = 4 * 1024 * 1024;
/** Topics come from outside: past this many what is known of them starts anew. */
const MAX_TOPICS = 8192;

export interface LaneOptions {
  host: string;
  port: number;
  tls: boolean;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
  will?: Will | undefined;
  log: Log;
}

export interface LaneEvents {
  /** Connected, and everything is subscribed. */
  ready(): void;
  /** Said once for each connection that ended and each attempt that failed. */
  down(reason: string): void;
  /** True for a message that this link published itself. */
  own(message: BrokerMessage): boolean;
}

/**
 * One connection of a link, by mqtt.js, and what is subscribed over it: MQTT 5, or 3.1.1 where the broker knows no better.
 * Overlapping filters are asked of the broker once, as the widest of them.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #events: LaneEvents;
  readonly #router: Router;
  /**
   * The filters that the broker holds for us, each with the numbers (MQTT 5: subscription identifiers) that come along
   * with a message that was sent because of it.
   */
  readonly #held = new Map<string, number[]>();
  /** By number of a subscription that asked for what is stored: for whom, and of which topics they have heard. */
  readonly #introductions = new Map<number, { newcomers: readonly Subscriber[]; told: Set<string> }>();
  #lastNumber = 0;
  /** By topic: the numbers under which its messages count. */
  readonly #counting = new Map<string, readonly number[]>();
  #turn: Promise<unknown> = Promise.resolve();
  #client: MqttClient | undefined;
  #socket: PacedSocket | undefined;
  #version: 4 | 5 = 5;
  #reached = false;
  /** The broker has taken us in: whoever subscribes from now on is asked for at once. */
  #accepted = false;
  #ready = false;
  #closed = false;
  #reason = '';

  constructor(options: LaneOptions, events: LaneEvents) {
    this.#options = options;
    this.#events = events;
    this.#router = new Router(options.log);
    void this.#open();
  }

  get ready(): boolean {
    return this.#ready;
  }

  get version(): 4 | 5 {
    return this.#version;
  }

  get congested(): boolean {
    return (this.#client?.stream.writableLength ?? 0) > MAX_UNSENT;
  }

  listensTo(topic: string): boolean {
    return this.#router.of(topic).length > 0;
  }

  subscribe(filters: readonly string[], listener: (message: BrokerMessage) => void, qos: 0 | 1): () => void {
    const subscriber = this.#router.add({ filters, listener, qos });
    if (this.#accepted) void this.#inTurn(() => this.#ask([subscriber]));
    return () => {
      this.#router.delete(subscriber);
      if (this.#accepted) void this.#inTurn(() => this.#tidy());
    };
  }

  publish(topic: string, payload: string, qos: 0 | 1, retain: boolean): void {
    const client = this.#client;
    if (client === undefined) return;
    if (qos > 0) {
      client.publish(topic, payload, { qos, retain });
      return;
    }
    // What is not acknowledged is written at once: mqtt.js keeps books on it first, for several times the work.
    writePublish(client.stream as Duplex, { topic, payload, retain }, this.#version);
  }

  /** Lets what comes in wait, or come again. */
  hold(held: boolean): void {
    this.#socket?.hold(held);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    if (client === undefined) return;
    const forced = setTimeout(() => client.end(true), CLOSE_TIMEOUT_MS);
    await client.endAsync(!this.#ready);
    clearTimeout(forced);
    this.#ready = false;
  }

  /** mqtt.js is loaded when it is needed: with the embedded broker it never is. */
  async #open(): Promise<void> {
    const { MqttClient: Client } = await import('mqtt');
    if (this.#closed) return;
    const { clientId, username, password, will } = this.#options;
    const options: IClientOptions = {
      clientId,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(will && { will: { topic: will.topic, payload: Buffer.from(will.offline), qos: 0, retain: true } }),
      protocolVersion: this.#version,
      clean: true,
      resubscribe: false,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: RETRY_MS,
      reconnectOnConnackError: true,
    };
    const client = new Client((self) => this.#connect(self.options), options);
    this.#client = client;
    client.on('connect', () => void this.#welcome());
    client.on('message', (topic, payload, packet) => this.#receive(topic, payload, packet));
    client.on('error', (error) => {
      this.#reason = error.message || String(Reflect.get(error, 'code'));
      // A refusal of MQTT 5 needs no pause before 3.1.1 is tried.
      if (this.#reached && !this.#accepted && this.#version === 5) client.options.reconnectPeriod = 1;
    });
    client.on('close', () => this.#lost());
  }

  #connect(options: IClientOptions): Duplex {
    options.protocolVersion = this.#version;
    options.reconnectPeriod = RETRY_MS;
    this.#reached = false;
    this.#reason = '';
    const { host, port, tls } = this.#options;
    const socket = tls
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
      : connectTcp({ host, port });
    socket.setNoDelay(true);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      this.#reached = true;
    });
    this.#socket = new PacedSocket(socket);
    return this.#socket;
  }

  async #welcome(): Promise<void> {
    this.#accepted = true;
    this.#held.clear();
    this.#introductions.clear();
    this.#counting.clear();
    const present = this.#router.all();
    if (!(await this.#inTurn(() => this.#ask(present))) || this.#ready) return;
    this.#ready = true;
    this.#events.ready();
  }

  /** What is asked of the broker is asked one thing after the other: each depends on what came of the last. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Subscribes for newcomers; false where the connection ended first. */
  async #ask(newcomers: readonly Subscriber[]): Promise<boolean> {
    const client = this.#client;
    const wanted = newcomers.flatMap(({ filters }) => filters);
    const asked = [...this.#wanted()].filter(([filter]) => wanted.some((one) => covers(filter, one)));
    try {
      await Promise.all([this.#hold(asked, newcomers), this.#hold(asked)]);
    } catch (error) {
      if (client?.connected !== true) return false;
      this.#options.log.warn({ kind: 'mqtt', msg: 'the broker refused a subscription', error });
    }
    await this.#tidy();
    return client?.connected === true;
  }

  /**
   * Subscribes at the broker: with what is stored for the newcomers, without where there are none. With MQTT 5 each
   * filter is asked for twice in a row, under two numbers: the number that comes with a retained message then tells
   * whether it was stored or was published just now.
   */
  async #hold(filters: readonly (readonly [string, 0 | 1])[], newcomers?: readonly Subscriber[]): Promise<void> {
    if (newcomers === undefined && this.#version === 4) return;
    const told = new Set<string>();
    await Promise.all(
      filters.map(([filter, qos]) => {
        const number = ++this.#lastNumber;
        this.#held.set(filter, [...(this.#held.get(filter) ?? []), number]);
        this.#counting.clear();
        if (newcomers !== undefined) this.#introductions.set(number, { newcomers, told });
        const properties = this.#version === 5 ? { properties: { subscriptionIdentifier: number } } : {};
        const rh = newcomers === undefined ? 2 : 0;
        return this.#client?.subscribeAsync(filter, { qos, nl: true, rap: true, rh, ...properties });
      }),
    );
  }

  /** Unsubscribes at the broker. What comes in after its answer is handled after `released`. */
  #release(filters: string[], released: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client?.unsubscribe(filters, (error) => {
        if (error) reject(error);
        released();
        resolve();
      });
    });
  }

  /** Gives back what nobody listens to any more, and takes up what was covered by it. */
  async #tidy(): Promise<void> {
    const wanted = this.#wanted();
    const missing = [...wanted].filter(([filter]) => !this.#held.has(filter));
    const needless = [...this.#held.keys()].filter((filter) => !wanted.has(filter));
    try {
      await this.#hold(missing, this.#version === 4 ? [] : undefined);
      if (needless.length === 0) return;
      await this.#release(needless, () => {
        for (const filter of needless) this.#held.delete(filter);
        this.#counting.clear();
      });
    } catch {
      // The connection ended: the next one begins with what is wanted then.
    }
  }

  #wanted(): Map<string, 0 | 1> {
    return minimal(this.#router.all().flatMap(({ filters, qos }) => filters.map((filter) => [filter, qos] as const)));
  }

  #receive(topic: string, payload: Uint8Array, packet: IPublishPacket): void {
    const subscribers = this.#router.of(topic);
    if (subscribers.length === 0) return;
    const numbers = numbersOf(packet);
    if (packet.retain && this.#introduced(subscribers, topic, payload, numbers)) return;
    if (numbers.length > 0 && !this.#counts(topic, numbers)) return;
    const retain = this.#version === 5 ? packet.retain : undefined;
    const message: BrokerMessage = { topic, payload, stored: false, retain };
    if (!this.#events.own(message)) this.#router.deliver(subscribers, message);
  }

  /** Hands a stored message to those for whom it was asked; false where it is a live one. */
  #introduced(
    subscribers: readonly Subscriber[],
    topic: string,
    payload: Uint8Array,
    numbers: readonly number[],
  ): boolean {
    const known = this.#version === 4 ? [...this.#introductions.keys()] : numbers;
    const introductions = known.map((number) => this.#introductions.get(number)).filter((one) => one !== undefined);
    if (introductions.length === 0 && this.#version === 5) return false;
    const told = new Set<Subscriber>();
    for (const { newcomers, told: topics } of introductions) {
      if (topics.has(topic)) continue;
      topics.add(topic);
      for (const one of newcomers) if (subscribers.includes(one)) told.add(one);
    }
    const message: BrokerMessage = { topic, payload, stored: true, retain: this.#version === 5 ? true : undefined };
    if (told.size > 0 && !this.#events.own(message)) this.#router.deliver(told, message);
    return true;
  }

  /** Brokers send a message once for each filter that fits it; the copy for the oldest filter is the one that counts. */
  #counts(topic: string, numbers: readonly number[]): boolean {
    let counting = this.#counting.get(topic);
    if (counting === undefined) {
      counting = [...this.#held].find(([filter]) => covers(filter, topic))?.[1] ?? [];
      if (this.#counting.size >= MAX_TOPICS) this.#counting.clear();
      this.#counting.set(topic, counting);
    }
    return numbers.some((number) => counting.includes(number));
  }

  #lost(): void {
    // A broker that knows no MQTT 5 refuses it, or hangs up.
    const refused = this.#reached && !this.#accepted;
    this.#ready = false;
    this.#accepted = false;
    this.#introductions.clear();
    if (this.#closed) return;
    if (refused) this.#version = this.#version === 5 ? 4 : 5;
    if (!refused || this.#version === 5) this.#events.down(this.#reason || 'the connection was closed');
  }
}

function numbersOf({ properties }: IPublishPacket): readonly number[] {
  const numbers = properties?.subscriptionIdentifier;
  return numbers === undefined ? [] : Array.isArray(numbers) ? numbers : [numbers];
}
