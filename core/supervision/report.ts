import type { UnitState } from '../model/service-manager.ts';
import type { ServiceName } from '../model/services.ts';

/**
 * How a service is, in the eyes of its supervisor. `unknown`: not heard yet, or not watched; `silent`: not heard for too
 * long; `crashed`: its unit ended unasked; `restarting`: asked to start, not heard since; `failed`: given up;
 * `stopped`: on purpose.
 */
export const SERVICE_STATES = ['unknown', 'alive', 'silent', 'crashed', 'restarting', 'failed', 'stopped'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

export interface ServiceReport {
  state: ServiceState;
  /** True in state `alive` only. */
  alive: boolean;
  /** ISO 8601, UTC; null before the first sign of life. */
  last_seen: string | null;
  /** How often it was restarted by itself since our start. */
  restarts: number;
}

/** A service with its unit. */
export interface ServiceDetail extends ServiceReport {
  /** `unknown` where the unit does not exist, or its manager cannot be asked. */
  unit: UnitState;
  /** Whether it is started and watched, by the configuration. */
  enabled: boolean;
}

/**
 * Why a service is in another state: a sign of life, the lack of it, the unit's end, an order (`start`, `restart`, `stop`,
 * by whomever), an order that failed, the end of all attempts, the configuration, or the loss of its unit.
 */
export type ServiceCause =
  | 'heartbeat'
  | 'silence'
  | 'crash'
  | 'start'
  | 'restart'
  | 'stop'
  | 'order-failed'
  | 'give-up'
  | 'config'
  | 'unit-gone';

export interface ServiceChange {
  service: ServiceName;
  state: ServiceState;
  previous: ServiceState;
  cause: ServiceCause;
  /** What else is to be said of it, as JSON can hold it. */
  data: Record<string, unknown>;
}
