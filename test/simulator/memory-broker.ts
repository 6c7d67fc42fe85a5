import type { BrokerLink, BrokerMessage } from '../../core/model/ports.ts';

interface Subscription {
  owner: number;
  patterns: RegExp[];
  listener: (message: BrokerMessage) => void;
}

const patternOf = (filter: string) => new RegExp(`^${filter.replaceAll('+', '[^/]+').replace(/#$/, '.*')}$`);

/** A broker without a network: delivers at once, keeps retained messages, and gives each link only what others say. */
export class MemoryBroker {
  readonly #retained = new Map<string, Uint8Array>();
  readonly #subscriptions = new Set<Subscription>();
  #links = 0;

  link(): BrokerLink {
    const owner = ++this.#links;
    return {
      url: 'memory://',
      connected: true,
      traffic: { in: 0, out: 0, dropped: 0 },
      publish: (topic, payload, options) => this.#publish(owner, topic, payload, options?.retain === true),
      subscribe: (filters, listener) => this.#subscribe({ owner, patterns: filters.map(patternOf), listener }),
      onConnection: (listener) => {
        listener(true);
        return () => {};
      },
      close: async () => {},
    };
  }

  #publish(from: number, topic: string, text: string, retain: boolean): void {
    const payload = new TextEncoder().encode(text);
    if (retain) this.#retained.set(topic, payload);
    for (const { owner, patterns, listener } of [...this.#subscriptions]) {
      if (owner !== from && patterns.some((pattern) => pattern.test(topic))) {
        listener({ topic, payload, stored: false, retain });
      }
    }
  }

  #subscribe(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription);
    for (const [topic, payload] of this.#retained) {
      if (subscription.patterns.some((pattern) => pattern.test(topic))) {
        subscription.listener({ topic, payload, stored: true, retain: true });
      }
    }
    return () => void this.#subscriptions.delete(subscription);
  }
}
