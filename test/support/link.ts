import type { BrokerLink, BrokerMessage, PublishOptions, SubscribeOptions } from '../../core/model/ports.ts';

interface Subscription {
  filters: readonly string[];
  listener: (message: BrokerMessage) => void;
  options: SubscribeOptions;
}

const matches = (filter: string, topic: string) =>
  new RegExp(`^${filter.replaceAll('+', '[^/]+').replace(/#$/, '.*')}$`).test(topic);

/** A broker link without a broker: keeps what is published, delivers what the test says. */
export class RecordingLink implements BrokerLink {
  readonly url = 'mqtt://recording';
  readonly traffic = { in: 0, out: 0, dropped: 0 };
  readonly published: ({ topic: string; payload: string } & PublishOptions)[] = [];
  readonly subscriptions = new Set<Subscription>();
  readonly #watchers = new Set<(connected: boolean) => void>();
  connected = true;
  closed = false;

  publish(topic: string, payload: string, options: PublishOptions = {}): void {
    this.published.push({ topic, payload, ...options });
  }

  subscribe(filters: readonly string[], listener: Subscription['listener'], options: SubscribeOptions = {}) {
    const subscription = { filters, listener, options };
    this.subscriptions.add(subscription);
    return () => void this.subscriptions.delete(subscription);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#watchers.add(listener);
    listener(this.connected);
    return () => void this.#watchers.delete(listener);
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  setConnected(connected: boolean): void {
    this.connected = connected;
    for (const watcher of this.#watchers) watcher(connected);
  }

  deliver(topic: string, payload: string, { stored = false, retain = false } = {}): void {
    for (const { filters, listener } of this.subscriptions)
      if (filters.some((filter) => matches(filter, topic)))
        listener({ topic, payload: Buffer.from(payload), stored, retain });
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
