import { messageOf } from '../../core/model/errors.ts';
import type { BrokerMessage, Log } from '../../core/model/ports.ts';
import { covers } from './filters.ts';

/** One call of `subscribe`: who listens to what, and the how-manieth it was. */
export interface Subscriber {
  readonly order: number;
  readonly filters: readonly string[];
  readonly qos: 0 | 1;
  readonly listener: (message: BrokerMessage) => void;
  active: boolean;
}

/** What is known of one topic: who gets its messages, and which of them were already told what the broker had stored. */
export interface Route {
  readonly subscribers: readonly Subscriber[];
  /** Subscribers up to this order have had the stored message, or need none any more. */
  toldUpTo: number;
}

/** Topics come from outside: past this many the cache starts anew. */
const MAX_ROUTES = 8192;

/** Finds the listeners of a topic. The answer is kept per topic, so a message costs one look-up. */
export class Router {
  readonly #log: Log;
  readonly #subscribers = new Set<Subscriber>();
  #routes = new Map<string, Route>();
  #order = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The order of the latest subscriber. */
  get latest(): number {
    return this.#order;
  }

  get size(): number {
    return this.#subscribers.size;
  }

  add(filters: readonly string[], listener: (message: BrokerMessage) => void, qos: 0 | 1 = 0): Subscriber {
    const subscriber = { order: ++this.#order, filters, listener, qos, active: true };
    this.#subscribers.add(subscriber);
    this.#reroute();
    return subscriber;
  }

  delete(subscriber: Subscriber): void {
    subscriber.active = false;
    if (this.#subscribers.delete(subscriber)) this.#reroute();
  }

  *filters(): Iterable<readonly [string, 0 | 1]> {
    for (const { filters, qos } of this.#subscribers) for (const filter of filters) yield [filter, qos];
  }

  route(topic: string): Route {
    return this.#routes.get(topic) ?? this.#find(topic, 0);
  }

  /** A new connection: everybody may be told again what the broker has stored. */
  forgetStored(): void {
    this.#routes.clear();
  }

  /** Hands the message to everybody on the route; a listener that throws is logged and harms nobody else. */
  deliver(route: Route, message: BrokerMessage): void {
    const { subscribers } = route;
    for (let index = 0; index < subscribers.length; index++) {
      const subscriber = subscribers[index];
      if (subscriber !== undefined) this.tell(subscriber, message);
    }
  }

  /** Hands a stored message to those who have not had it, from the `from`-th subscriber on. */
  deliverStored(route: Route, message: BrokerMessage, from: number): void {
    const told = route.toldUpTo;
    route.toldUpTo = this.#order;
    for (const subscriber of route.subscribers) {
      if (subscriber.order > told && subscriber.order >= from) this.tell(subscriber, message);
    }
  }

  tell(subscriber: Subscriber, message: BrokerMessage): void {
    if (!subscriber.active) return;
    try {
      subscriber.listener(message);
    } catch (error) {
      this.#log.error({ kind: 'mqtt', msg: 'a listener failed', topic: message.topic, error: messageOf(error) });
    }
  }

  #find(topic: string, toldUpTo: number): Route {
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    const subscribers = [...this.#subscribers].filter(({ filters }) => filters.some((filter) => covers(filter, topic)));
    const route = { subscribers, toldUpTo };
    this.#routes.set(topic, route);
    return route;
  }

  /** Routes are found again in place, so that what is known of a topic stays. */
  #reroute(): void {
    const known = this.#routes;
    this.#routes = new Map();
    for (const [topic, { toldUpTo }] of known) this.#find(topic, toldUpTo);
  }
}
