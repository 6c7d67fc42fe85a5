import type { Clock } from '../model/ports.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';

export interface ServiceReport {
  state: 'unknown' | 'alive' | 'silent';
  alive: boolean;
  /** ISO 8601, UTC; null before the first sign of life. */
  last_seen: string | null;
  restarts: number;
}

/** When each service was last heard, and what that says of it. */
export class SignsOfLife {
  readonly #clock: Clock;
  readonly #timeoutOf: (service: ServiceName) => number;
  readonly #seen = new Map<ServiceName, number>();

  /** `timeoutOf` gives the silence in ms after which a service is silent; 0: never. */
  constructor(clock: Clock, timeoutOf: (service: ServiceName) => number) {
    this.#clock = clock;
    this.#timeoutOf = timeoutOf;
  }

  seen(service: ServiceName): void {
    this.#seen.set(service, this.#clock.now());
  }

  report(): Record<ServiceName, ServiceReport> {
    return Object.fromEntries(SERVICES.map((service) => [service, this.#reportOf(service)])) as Record<
      ServiceName,
      ServiceReport
    >;
  }

  #reportOf(service: ServiceName): ServiceReport {
    const seen = this.#seen.get(service);
    if (seen === undefined) return { state: 'unknown', alive: false, last_seen: null, restarts: 0 };
    const timeout = this.#timeoutOf(service);
    const alive = timeout === 0 || this.#clock.now() - seen <= timeout;
    return { state: alive ? 'alive' : 'silent', alive, last_seen: new Date(seen).toISOString(), restarts: 0 };
  }
}
