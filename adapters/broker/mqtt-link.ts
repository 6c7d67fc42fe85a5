import { randomBytes } from 'node:crypto';
import type {
  BrokerLink,
  BrokerLinkOptions,
  BrokerMessage,
  Clock,
  PublishOptions,
  SubscribeOptions,
} from '../../core/model/ports.ts';
import { brokerUrl } from './broker-url.ts';
import { Echoes, samePayload } from './echoes.ts';
import { markProperties, type PublishView } from './publish-packet.ts';
import { Retained } from './retained.ts';
import { Session, type SessionOptions } from './session.ts';
import { Subscriptions } from './subscriptions.ts';
import { systemClock } from './system-clock.ts';

/**
 * A link to an MQTT broker over TCP or TLS: MQTT 5, or 3.1.1 where the broker knows no better. Never throws for a broker
 * that is absent: it is tried again for ever. What is published while there is no connection is kept when it is
 * retained (the last payload of each topic) and dropped when it is not: a late command is worse than none.
 * Throws SkullError `invalid` for a URL that is none.
 */
export function connectMqtt(options: BrokerLinkOptions & { clock?: Clock }): BrokerLink {
  return new MqttLink(options);
}

/** One connection and what is subscribed over it. */
interface Lane {
  readonly session: Session;
  readonly subscriptions: Subscriptions;
  readonly echoes: Echoes;
}

class MqttLink implements BrokerLink {
  readonly url: string;
  readonly #options: BrokerLinkOptions;
  readonly #session: Omit<SessionOptions, 'clientId' | 'will'>;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #main: Lane;
  #express: Lane | undefined;
  readonly #retained = new Retained();
  readonly #listeners = new Set<(connected: boolean) => void>();
  /** Tells our messages on the express connection, which is another client to the broker. */
  readonly #mark = randomBytes(6).toString('hex');
  readonly #markProperties = markProperties(this.#mark);
  #connected = false;
  /** The present outage is in the log. */
  #complained = false;
  #dropped = 0;
  #closing: Promise<void> | undefined;

  constructor(options: BrokerLinkOptions & { clock?: Clock }) {
    const { host, port, tls, url, username, password } = brokerUrl(options);
    this.url = url;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#clientId = options.clientId ?? `skull-${this.#mark}`;
    const protocol = { version: 5, proven: false } as const;
    this.#session = { host, port, tls, username, password, clock: this.#clock, protocol: { ...protocol } };
    const { will } = options;
    this.#main = this.#lane(this.#clientId, will && { topic: will.topic, payload: will.offline }, () => {
      this.#retained.all((topic, payload) => this.#send(topic, payload, { qos: 0, retain: true }));
    });
    this.#main.session.start();
  }

  get connected(): boolean {
    return this.#connected;
  }

  publish(topic: string, payload: string, options: PublishOptions = {}): void {
    if (this.#closing === undefined)
      this.#send(topic, payload, { qos: options.qos ?? 0, retain: options.retain ?? false });
  }

  subscribe(
    filters: readonly string[],
    listener: (message: BrokerMessage) => void,
    options: SubscribeOptions = {},
  ): () => void {
    return this.#laneFor(options.express ?? false).subscriptions.add([...filters], listener, options.qos ?? 0);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    // Wrapped, so that the same function may listen twice.
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
    if (will && this.#main.session.up) this.#main.session.publish(will.topic, will.offline, { qos: 0, retain: true });
    await Promise.all([this.#main.session.close(), this.#express?.session.close()]);
    this.#settle();
  }

  #laneFor(express: boolean): Lane {
    if (!express) return this.#main;
    if (this.#express === undefined) {
      this.#express = this.#lane(`${this.#clientId}-express`, undefined, () => {});
      this.#express.session.start();
    }
    return this.#express;
  }

  #lane(clientId: string, will: { topic: string; payload: string } | undefined, ready: () => void): Lane {
    const { log } = this.#options;
    const echoes = new Echoes(this.#clock);
    const subscriptions = new Subscriptions({
      log,
      own: (view, payload, live) => this.#own(echoes, view, payload, live),
      ready: () => {
        ready();
        this.#settle();
      },
    });
    const session = new Session(
      { ...this.#session, clientId, will },
      {
        up: () => {
          echoes.clear();
          subscriptions.start(session);
        },
        down: (reason) => {
          subscriptions.stop();
          this.#settle();
          this.#complain(reason);
        },
        publish: (header, bytes, start, end) => subscriptions.receive(header, bytes, start, end),
        acknowledged: (packetId, code) => subscriptions.acknowledged(packetId, code),
        drained: () => this.#drained(),
        oversize: (size) =>
          log.warn({ kind: 'mqtt', msg: 'a message was too large and passed over', size, url: this.url }),
      },
    );
    return { session, subscriptions, echoes };
  }

  #send(topic: string, payload: string, flags: { qos: 0 | 1; retain: boolean }): void {
    const { session, subscriptions, echoes } = this.#main;
    const ready = subscriptions.ready;
    const now = ready && !session.congested;
    if (flags.retain) this.#retained.set(topic, payload, now);
    if (!now) {
      if (ready && !flags.retain && this.#dropped++ === 0) {
        this.#options.log.warn({
          kind: 'mqtt',
          msg: 'the broker does not keep up, messages are dropped',
          url: this.url,
        });
      }
      return;
    }
    const express = this.#express?.subscriptions.has(topic) ?? false;
    if (session.version === 4) {
      if (subscriptions.has(topic)) echoes.expect(topic, payload);
      if (express && this.#express?.subscriptions.ready) this.#express.echoes.expect(topic, payload);
    }
    if (!session.publish(topic, payload, flags, express ? this.#markProperties : undefined)) {
      const size = payload.length;
      this.#options.log.warn({
        kind: 'mqtt',
        msg: 'a message is too large for the broker',
        topic,
        size,
        url: this.url,
      });
    }
  }

  #own(echoes: Echoes, view: PublishView, payload: Uint8Array, live: boolean): boolean {
    if (view.mark === this.#mark) return true;
    if (live) return this.#main.session.version === 4 && echoes.swallow(view.topic, payload);
    const kept = this.#retained.get(view.topic);
    return kept !== undefined && samePayload(kept, payload);
  }

  #drained(): void {
    if (this.#main.session.congested) return;
    this.#retained.owed((topic, payload) => this.#send(topic, payload, { qos: 0, retain: true }));
    if (this.#dropped === 0) return;
    this.#options.log.warn({ kind: 'mqtt', msg: 'the broker keeps up again', dropped: this.#dropped, url: this.url });
    this.#dropped = 0;
  }

  /** Tells those who want to know whether the link works. */
  #settle(): void {
    const express = this.#express;
    const connected =
      this.#closing === undefined &&
      this.#main.subscriptions.ready &&
      (express === undefined || express.subscriptions.ready);
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) {
      const { will, log } = this.#options;
      if (will) this.#main.session.publish(will.topic, will.online, { qos: 0, retain: true });
      const protocol = this.#main.session.version === 5 ? 'MQTT 5' : 'MQTT 3.1.1';
      log.info({ kind: 'mqtt', msg: 'connected to the broker', url: this.url, protocol });
      this.#complained = false;
    }
    for (const listener of [...this.#listeners]) listener(connected);
  }

  #complain(reason: string): void {
    if (this.#complained || this.#closing !== undefined) return;
    this.#complained = true;
    this.#options.log.warn({ kind: 'mqtt', msg: 'no connection to the broker, trying again', url: this.url, reason });
  }
}
