import type { UnitState } from '../../core/model/service-manager.ts';
import { knownService } from '../../core/supervision/allowed.ts';

/** The unit's name. Throws a SkullError `not_found` for anything but one of the six services: no other name is formed. */
export const unitOf = (service: string): string => `skull-${knownService(service)}.service`;

export const SYSTEM_BUS = '/run/dbus/system_bus_socket';

/** So long may an order take, from the call to the end of the manager's job. */
export const ORDER_MS = 10_000;

const STATES: Readonly<Record<string, UnitState>> = {
  active: 'running',
  reloading: 'running',
  refreshing: 'running',
  activating: 'starting',
  deactivating: 'stopping',
  failed: 'failed',
};

/**
 * systemd's LoadState and ActiveState in our words. A unit that waits for its automatic restart is `starting`; one that an
 * administrator has masked is none that could be started.
 */
export function stateOf(load: string, active: string): UnitState {
  return STATES[active] ?? (load === 'not-found' || load === 'masked' ? 'unknown' : 'stopped');
}

/** Whether the unit has come to an end. */
export const isDown = (state: UnitState): boolean => state === 'stopped' || state === 'failed' || state === 'unknown';
