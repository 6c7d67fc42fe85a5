import type { BrokerLink, BrokerMessage, Clock, Log, Random } from '../core/model/ports.ts';
import type { ServiceName } from '../core/model/services.ts';
import type { Part, Role, Stage } from './role.ts';

export const BEHAVIOURS = ['normal', 'silent', 'crashed', 'slow'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** How many times longer a slow service takes, unless told. */
const SLOW_FACTOR = 5;

export interface ServiceWorld {
  link: BrokerLink;
  clock: Clock;
  random: Random;
  log: Log;
  /** Milliseconds between two heartbeats. */
  heartbeatMs: number;
}

function contentOf(message: BrokerMessage): unknown {
  const text = new TextDecoder().decode(message.payload);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * One service of the skull, played over MQTT. It beats, hears and answers (`normal`), hangs: neither hears nor publishes
 * while what it has begun goes on unheard (`silent`), takes longer over everything but its heartbeat (`slow`), or is gone
 * with all it knew (`crashed`) until told to be otherwise, which starts it anew.
 */
export class SimulatedService {
  readonly name: ServiceName;
  readonly #part: Part;
  readonly #world: ServiceWorld;
  readonly #timers = new Set<unknown>();
  readonly #listeners = new Set<(behaviour: Behaviour) => void>();
  #behaviour: Behaviour = 'crashed';
  #factor = 1;
  #role: Role | undefined;
  #unsubscribe: () => void = () => {};
  #startedAt = 0;

  constructor(name: ServiceName, part: Part, world: ServiceWorld) {
    this.name = name;
    this.#part = part;
    this.#world = world;
  }

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  /** `factor` is how many times longer a `slow` service takes. */
  behave(behaviour: Behaviour, factor = SLOW_FACTOR): void {
    this.#behaviour = behaviour;
    this.#factor = behaviour === 'slow' ? factor : 1;
    if (behaviour === 'crashed') this.#end();
    else if (this.#role === undefined) this.#begin();
    for (const listener of this.#listeners) listener(behaviour);
  }

  /** Called after each order, also one that changes nothing. Returns the function that ends it. */
  onBehaviour(listener: (behaviour: Behaviour) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What the heartbeat tells; undefined while crashed. */
  report(): { uptime_ms: number; [detail: string]: unknown } | undefined {
    return this.#role && { uptime_ms: this.#world.clock.now() - this.#startedAt, ...this.#role.report?.() };
  }

  beat(): void {
    const report = this.report();
    if (report !== undefined) this.#publish(`${this.name}/heartbeat`, report);
  }

  #begin(): void {
    this.#startedAt = this.#world.clock.now();
    const stage: Stage = {
      now: () => this.#world.clock.now(),
      chance: () => this.#world.random.next(),
      publish: (topic, payload) => this.#publish(topic, payload),
      after: (ms, callback) => this.#after(ms * this.#factor, callback),
    };
    const role = this.#part.enact(stage);
    this.#role = role;
    if (this.#part.filters.length > 0) {
      this.#unsubscribe = this.#world.link.subscribe(this.#part.filters, (message) => {
        if (this.#behaviour !== 'silent') role.hear(message.topic, contentOf(message));
      });
    }
    this.#pulse();
  }

  #end(): void {
    this.#role = undefined;
    this.#unsubscribe();
    this.#unsubscribe = () => {};
    for (const timer of this.#timers) this.#world.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #pulse(): void {
    this.beat();
    this.#after(this.#world.heartbeatMs, () => this.#pulse());
  }

  #after(ms: number, callback: () => void): () => void {
    const timer = this.#world.clock.setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
      this.#world.clock.clearTimeout(timer);
    };
  }

  #publish(topic: string, payload: object): void {
    if (this.#behaviour !== 'silent') this.#world.link.publish(topic, JSON.stringify(payload));
  }
}
