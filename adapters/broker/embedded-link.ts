import type {
  BrokerLink,
  BrokerLinkOptions,
  BrokerMessage,
  PublishOptions,
  SubscribeOptions,
} from '../../core/model/ports.ts';
import { covers } from './filters.ts';
import type { Hub, Member, Published } from './hub.ts';
import { Router } from './router.ts';

/** A link to the broker in this process: no socket, never disconnected until it is closed. */
export class EmbeddedLink implements BrokerLink, Member {
  readonly url: string;
  readonly traffic = { in: 0, out: 0, dropped: 0 };
  readonly #hub: Hub;
  readonly #will: BrokerLinkOptions['will'];
  readonly #router: Router;
  readonly #leave: () => void;
  readonly #listeners = new Set<(connected: boolean) => void>();
  #open = true;

  constructor(hub: Hub, url: string, options: BrokerLinkOptions) {
    this.url = url;
    this.#hub = hub;
    this.#will = options.will;
    this.#router = new Router(options.log);
    this.#leave = hub.join(this);
    if (this.#will) this.publish(this.#will.topic, this.#will.online, { retain: true });
  }

  get connected(): boolean {
    return this.#open;
  }

  publish(topic: string, payload: string, options: PublishOptions = {}): void {
    if (!this.#open) return;
    this.traffic.out++;
    this.#hub.send(this, topic, payload, options.qos ?? 0, options.retain ?? false);
  }

  /** `express` makes no difference: there is no connection to queue on. */
  subscribe(
    filters: readonly string[],
    listener: (message: BrokerMessage) => void,
    options: SubscribeOptions = {},
  ): () => void {
    const subscriber = this.#router.add({ filters: [...filters], listener, qos: options.qos ?? 0 });
    const stored: BrokerMessage[] = [];
    for (const { topic, payload } of this.#hub.storedFor(this)) {
      if (filters.some((filter) => covers(filter, topic))) stored.push({ topic, payload, stored: true, retain: true });
    }
    // Later, as from any broker; what is stored now comes before anything that is published from now on.
    queueMicrotask(() => {
      this.traffic.in += stored.length;
      for (const message of stored) this.#router.deliver([subscriber], message);
    });
    return () => this.#router.delete(subscriber);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    const entry = (connected: boolean) => listener(connected);
    this.#listeners.add(entry);
    listener(this.#open);
    return () => void this.#listeners.delete(entry);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    if (this.#will) this.publish(this.#will.topic, this.#will.offline, { retain: true });
    this.#open = false;
    this.#leave();
    for (const listener of [...this.#listeners]) listener(false);
  }

  receive({ topic, payload, retain }: Published): void {
    const subscribers = this.#router.of(topic);
    if (subscribers.length === 0) return;
    this.traffic.in++;
    this.#router.deliver(subscribers, { topic, payload, stored: false, retain });
  }
}
