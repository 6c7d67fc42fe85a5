import { messageOf } from '../../core/model/errors.ts';
import type { BrokerMessage, Log } from '../../core/model/ports.ts';
import { covers } from './filters.ts';

/** One call of `subscribe`. */
export interface Subscriber {
  readonly filters: readonly string[];
  readonly qos: 0 | 1;
  readonly listener: (message: BrokerMessage) => void;
}

/** Topics come from outside: past this many the cache starts anew. */
const MAX_ROUTES = 8192;

/** Finds the listeners of a topic. The answer is kept per topic, so that a message costs one look-up. */
export class Router {
  readonly #log: Log;
  readonly #subscribers = new Set<Subscriber>();
  readonly #routes = new Map<string, readonly Subscriber[]>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(subscriber: Subscriber): Subscriber {
    this.#subscribers.add(subscriber);
    this.#routes.clear();
    return subscriber;
  }

  delete(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.#routes.clear();
  }

  all(): Subscriber[] {
    return [...this.#subscribers];
  }

  of(topic: string): readonly Subscriber[] {
    let route = this.#routes.get(topic);
    if (route === undefined) {
      if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
      route = this.all().filter(({ filters }) => filters.some((filter) => covers(filter, topic)));
      this.#routes.set(topic, route);
    }
    return route;
  }

  /** Hands a message to those of the listeners that are still there; one that throws is logged and harms nobody else. */
  deliver(subscribers: Iterable<Subscriber>, message: BrokerMessage): void {
    for (const subscriber of subscribers) {
      if (!this.#subscribers.has(subscriber)) continue;
      try {
        subscriber.listener(message);
      } catch (error) {
        this.#log.error({ kind: 'mqtt', msg: 'a listener failed', topic: message.topic, error: messageOf(error) });
      }
    }
  }
}
