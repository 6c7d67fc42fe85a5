import type { ServiceName } from './services.ts';

/** What may be asked of a service's unit. */
export const VERBS = ['start', 'stop', 'restart'] as const;
export type Verb = (typeof VERBS)[number];

/** Where a unit stands, in its manager's eyes. `unknown`: the manager has no such unit, or cannot be asked. */
export const UNIT_STATES = ['unknown', 'starting', 'running', 'stopping', 'stopped', 'failed'] as const;
export type UnitState = (typeof UNIT_STATES)[number];

/** That a unit has come to another state. */
export interface UnitChange {
  service: ServiceName;
  state: UnitState;
  previous: UnitState;
  /** For `stopped` and `failed`: whether somebody asked for it (a stop job, whoever gave it). A process that ends by itself did not. */
  asked: boolean;
  /** The manager's word for how it ended (`exit-code`, `signal`, `watchdog`, …); null where it did not, or ended well. */
  result: string | null;
}

/**
 * Who starts and stops the units `skull-<service>.service`, and no other unit. Every implementation passes the same
 * conformance suite.
 */
export interface ServiceManager {
  readonly kind: 'systemd' | 'systemctl' | 'simulated';
  /** False while the manager cannot be asked; it is tried again by itself. */
  readonly connected: boolean;
  /** As last heard of. */
  unit(service: ServiceName): UnitState;
  /**
   * Resolves with the unit's state once the manager has done it. Rejects with a SkullError: `not_found` (no such unit),
   * `forbidden` (we may not), `conflict` (the job failed, or another one took its place), `timeout`, `unavailable`.
   */
  act(service: ServiceName, verb: Verb): Promise<UnitState>;
  /** Returns the function that ends it. */
  onUnit(listener: (change: UnitChange) => void): () => void;
  /** Called at once with the present state, then at each change. Returns the function that ends it. */
  onConnection(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}
