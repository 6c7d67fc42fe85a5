import { randomBytes } from 'node:crypto';
import type {
  BrokerLink,
  BrokerLinkOptions,
  BrokerMessage,
  PublishOptions,
  SubscribeOptions,
} from '../../core/model/ports.ts';
import { systemClock } from '../system.ts';
import { Backlog } from './backlog.ts';
import { brokerUrl } from './broker-url.ts';
import { Echoes, samePayload } from './echoes.ts';
import { Lane } from './lane.ts';

/**
 * A link to an MQTT broker over TCP or TLS, by mqtt.js. Never throws for a broker that is absent: it is tried again for
 * ever. What is published while there is no connection is kept when it is retained (the last payload of each topic) and
 * dropped when it is not: a late command is worse than none. Throws SkullError `invalid` for a URL that is none.
 */
export function connectMqtt(options: BrokerLinkOptions): BrokerLink {
  return new MqttLink(options);
}

class MqttLink implements BrokerLink {
  readonly url: string;
  readonly traffic = { in: 0, out: 0, dropped: 0 };
  readonly #options: BrokerLinkOptions;
  readonly #clientId: string;
  readonly #main: Lane;
  #express: Lane | undefined;
  /** The last payload of each topic that was published retained, in the order of the first publication. */
  readonly #retained = new Map<string, string>();
  /** The last of them that the broker was given: what it may still have stored from us. */
  readonly #given = new Map<string, string>();
  /** Our own messages where the broker cannot be told to keep them back: from 3.1.1, and from one lane to the other. */
  readonly #echoes = new Map<Lane, Echoes>();
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #backlog = new Backlog({
    mark: () => this.#main.publish(this.#markTopic, '', 0, false),
    hold: (held) => this.#main.hold(held),
  });
  /** Filters like `#` do not see topics that begin with a dollar sign. */
  readonly #markTopic: string;
  #connected = false;
  /** The present outage is in the log. */
  #complained = false;
  #dropped = 0;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.url = brokerUrl(options).url;
    this.#clientId = options.clientId ?? `skull-${randomBytes(6).toString('hex')}`;
    this.#markTopic = `$skull/${this.#clientId}`;
    this.#main = this.#lane(false);
  }

  get connected(): boolean {
    return this.#connected;
  }

  publish(topic: string, payload: string, { qos = 0, retain = false }: PublishOptions = {}): void {
    if (this.#closing !== undefined) return;
    if (retain) {
      if (payload === '' && this.#main.ready) this.#retained.delete(topic);
      else this.#retained.set(topic, payload);
    }
    if (!this.#main.ready) return;
    if (this.#main.congested && !retain) this.#drop();
    else this.#send(topic, payload, qos, retain);
  }

  subscribe(
    filters: readonly string[],
    listener: (message: BrokerMessage) => void,
    { qos = 0, express = false }: SubscribeOptions = {},
  ): () => void {
    if (express) this.#express ??= this.#expressLane();
    return (express && this.#express ? this.#express : this.#main).subscribe(filters, listener, qos);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    const entry = (connected: boolean) => listener(connected);
    this.#listeners.add(entry);
    listener(this.#connected);
    return () => void this.#listeners.delete(entry);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { will } = this.#options;
    if (will && this.#main.ready) this.#main.publish(will.topic, will.offline, 0, true);
    await Promise.all([this.#main.close(), this.#express?.close()]);
    this.#settle();
  }

  #expressLane(): Lane {
    const lane = this.#lane(true);
    lane.subscribe([this.#markTopic], () => this.#backlog.returned(), 0);
    return lane;
  }

  #lane(express: boolean): Lane {
    const { will, log } = this.#options;
    const { url, ...server } = brokerUrl(this.#options);
    const clientId = express ? `${this.#clientId}-express` : this.#clientId;
    const echoes = new Echoes(systemClock);
    const lane = new Lane(
      { ...server, clientId, log, will: express ? undefined : will },
      {
        ready: () => {
          echoes.clear();
          this.#backlog.reset();
          if (!express) this.#republish();
          this.#settle();
        },
        down: (reason) => {
          this.#backlog.reset();
          this.#settle();
          this.#complain(reason);
        },
        own: ({ topic, payload, stored }) => {
          // An echo that comes while somebody subscribes looks as if it had been stored.
          const echo = echoes.swallow(topic, payload);
          const given = stored ? this.#given.get(topic) : undefined;
          const own = echo || (given !== undefined && samePayload(given, payload));
          if (!own && topic !== this.#markTopic) this.traffic.in++;
          return own;
        },
      },
    );
    this.#echoes.set(lane, echoes);
    return lane;
  }

  #send(topic: string, payload: string, qos: 0 | 1, retain: boolean): void {
    for (const [lane, echoes] of this.#echoes) {
      const returns = lane !== this.#main || lane.version === 4;
      if (returns && lane.ready && lane.listensTo(topic)) echoes.expect(topic, payload);
    }
    if (retain) this.#given.set(topic, payload);
    this.traffic.out++;
    this.#main.publish(topic, payload, qos, retain);
    if (this.#express?.ready === true) this.#backlog.published();
  }

  #republish(): void {
    for (const [topic, payload] of [...this.#retained]) {
      if (payload === '') this.#retained.delete(topic);
      this.#send(topic, payload, 0, true);
    }
  }

  #drop(): void {
    this.traffic.dropped++;
    if (this.#dropped++ > 0) return;
    const { log } = this.#options;
    log.warn({ kind: 'mqtt', msg: 'the broker does not keep up, messages are dropped', url: this.url });
  }

  /** Tells those who want to know whether the link works. */
  #settle(): void {
    const connected = this.#closing === undefined && this.#main.ready && this.#express?.ready !== false;
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) {
      const { will, log } = this.#options;
      if (will) this.#main.publish(will.topic, will.online, 0, true);
      const protocol = this.#main.version === 5 ? 'MQTT 5' : 'MQTT 3.1.1';
      log.info({ kind: 'mqtt', msg: 'connected to the broker', url: this.url, protocol });
      this.#complained = false;
      this.#dropped = 0;
    }
    for (const listener of [...this.#listeners]) listener(connected);
  }

  #complain(reason: string): void {
    if (this.#complained || this.#closing !== undefined) return;
    this.#complained = true;
    const { log } = this.#options;
    log.warn({ kind: 'mqtt', msg: 'no connection to the broker, trying again', url: this.url, reason });
  }
}
