import { messageOf } from '../model/errors.ts';
import type { Clock, Log } from '../model/ports.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';

export interface ServiceReport {
  state: 'unknown' | 'alive' | 'silent';
  alive: boolean;
  /** ISO 8601, UTC; null before the first sign of life. */
  last_seen: string | null;
  restarts: number;
}

/** Told that a service is heard again, or fell silent. */
type Listener = (service: ServiceName, state: 'alive' | 'silent') => void;

/** When each service was last heard, and what that says of it. */
export class SignsOfLife {
  readonly #clock: Clock;
  readonly #timeoutOf: (service: ServiceName) => number;
  readonly #log: Log;
  readonly #seen = new Map<ServiceName, number>();
  readonly #alive = new Set<ServiceName>();
  readonly #listeners = new Set<Listener>();
  #timer: unknown;

  /** `timeoutOf` gives the silence in ms after which a service is silent; 0: never. */
  constructor(clock: Clock, timeoutOf: (service: ServiceName) => number, log: Log) {
    this.#clock = clock;
    this.#timeoutOf = timeoutOf;
    this.#log = log;
  }

  seen(service: ServiceName): void {
    this.#seen.set(service, this.#clock.now());
    if (this.#alive.has(service)) return;
    this.#alive.add(service);
    this.#watch();
    this.#tell(service, 'alive');
  }

  /** Called when a service is heard again and when it falls silent. Returns the function that ends it. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  report(): Record<ServiceName, ServiceReport> {
    return Object.fromEntries(SERVICES.map((service) => [service, this.#reportOf(service)])) as Record<
      ServiceName,
      ServiceReport
    >;
  }

  /** Lets go of the timer. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #reportOf(service: ServiceName): ServiceReport {
    const seen = this.#seen.get(service);
    if (seen === undefined) return { state: 'unknown', alive: false, last_seen: null, restarts: 0 };
    const alive = this.#clock.now() <= this.#silentFrom(service);
    return { state: alive ? 'alive' : 'silent', alive, last_seen: new Date(seen).toISOString(), restarts: 0 };
  }

  #silentFrom(service: ServiceName): number {
    const timeout = this.#timeoutOf(service);
    return timeout === 0 ? Number.POSITIVE_INFINITY : (this.#seen.get(service) ?? 0) + timeout;
  }

  /** One timer for all, for the first that may fall silent: a service that beats moves none. */
  #watch(): void {
    this.#clock.clearTimeout(this.#timer);
    const first = Math.min(...[...this.#alive].map((service) => this.#silentFrom(service)));
    if (first === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimeout(() => this.#look(), first - this.#clock.now() + 1);
  }

  #look(): void {
    const now = this.#clock.now();
    const silent = [...this.#alive].filter((service) => now > this.#silentFrom(service));
    for (const service of silent) this.#alive.delete(service);
    this.#watch();
    for (const service of silent) this.#tell(service, 'silent');
  }

  #tell(service: ServiceName, state: 'alive' | 'silent'): void {
    for (const listener of this.#listeners) {
      try {
        listener(service, state);
      } catch (error) {
        this.#log.error({
          kind: 'service',
          msg: `${service}: a listener failed: ${messageOf(error)}`,
          subject: service,
        });
      }
    }
  }
}
