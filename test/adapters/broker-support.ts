import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { BrokerLink, BrokerMessage, SubscribeOptions } from '../../core/model/ports.ts';

/** A message as the tests compare it. */
export interface Seen {
  topic: string;
  payload: string;
  stored: boolean;
  retain: boolean | undefined;
}

/** Collects what a link receives, and waits for it. */
export class Ear {
  readonly seen: Seen[] = [];
  readonly #waiting = new Set<() => void>();
  readonly stop: () => void;

  constructor(link: BrokerLink, filters: readonly string[], options?: SubscribeOptions) {
    this.stop = link.subscribe(filters, (message) => this.#hear(message), options);
  }

  get payloads(): string[] {
    return this.seen.map(({ payload }) => payload);
  }

  /** Resolves once the condition holds for what was heard. */
  until(condition: (seen: readonly Seen[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition(this.seen)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves once this payload was heard. */
  hears(payload: string): Promise<void> {
    return this.until((seen) => seen.some((message) => message.payload === payload));
  }

  #hear({ topic, payload, stored, retain }: BrokerMessage): void {
    this.seen.push({ topic, payload: Buffer.from(payload).toString(), stored, retain });
    for (const check of [...this.#waiting]) check();
  }
}

export function whenConnected(link: BrokerLink, connected = true): Promise<void> {
  return new Promise((resolve) => {
    const stop = link.onConnection((now) => {
      if (now === connected) setImmediate(() => resolve(stop()));
    });
  });
}

/** A client of another make. */
export function outside(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  return mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
}

/** Payloads that a client of another make receives on these filters, as `topic payload`. */
export async function overhear(
  client: MqttClient,
  filters: string[],
): Promise<{ seen: string[]; until(text: string): Promise<void> }> {
  const seen: string[] = [];
  let check = () => {};
  client.on('message', (topic, payload) => {
    seen.push(`${topic} ${payload.toString()}`);
    check();
  });
  await client.subscribeAsync(filters);
  return {
    seen,
    until: (text) =>
      new Promise((resolve) => {
        check = () => {
          if (seen.includes(text)) resolve();
        };
        check();
      }),
  };
}

export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}
