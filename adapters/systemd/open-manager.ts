import { existsSync } from 'node:fs';
import type { Clock, Log } from '../../core/model/ports.ts';
import type { ServiceManager } from '../../core/model/service-manager.ts';
import { SYSTEM_BUS } from './units.ts';

/** The values of SERVICE_MANAGER. */
export type ManagerChoice = 'auto' | 'systemd' | 'simulated' | 'none';

export interface ManagerOptions {
  choice: ManagerChoice;
  clock: Clock;
  log: Log;
  /** Makes the simulated manager. */
  simulate: () => Promise<ServiceManager>;
  /** Whether the simulator plays the services. */
  simulator: boolean;
}

/** So long may systemd take to answer before it counts as absent. */
const PATIENCE_MS = 1000;

/**
 * The service manager that is chosen, or for `auto` the one that is there: systemd, else the simulator's; undefined where
 * there is none. Nothing of the
 * others is loaded. One that was chosen and does not answer is sought until it does.
 */
export async function openServiceManager(options: ManagerOptions): Promise<ServiceManager | undefined> {
  const { choice, log, simulate, simulator } = options;
  const manager = await open();
  const msg = manager === undefined ? 'Services are not managed.' : `Services are managed by ${NAMES[manager.kind]}.`;
  log.info({ kind: 'system', msg });
  return manager;

  async function open(): Promise<ServiceManager | undefined> {
    if (choice === 'none') return undefined;
    if (choice === 'simulated') return simulate();
    if (choice === 'systemd') return openSystemd(options);
    const systemd = existsSync('/run/systemd/system') ? await openSystemd(options) : undefined;
    // On a slow machine that boots, its bus may take longer: with nobody else to turn to it is waited for.
    if (systemd?.connected || !simulator) return systemd;
    await systemd?.close();
    return simulate();
  }
}

const NAMES: Record<ServiceManager['kind'], string> = {
  systemd: 'systemd over D-Bus',
  systemctl: 'systemd with systemctl',
  simulated: 'the simulator',
};

/** Over D-Bus, or by its command where there is no system bus. */
async function openSystemd({ clock, log }: ManagerOptions): Promise<ServiceManager> {
  if (!existsSync(SYSTEM_BUS)) {
    const { SystemctlManager } = await import('./systemctl-manager.ts');
    const manager = new SystemctlManager({ clock, log });
    await manager.open();
    if (manager.connected) return manager;
    await manager.close();
  }
  const { DbusManager } = await import('./dbus-manager.ts');
  const manager = new DbusManager({ clock, log });
  manager.open();
  await answers(manager, clock);
  return manager;
}

/** Resolves once the manager is connected, or its time is over. */
async function answers(manager: ServiceManager, clock: Clock): Promise<void> {
  let timer: unknown;
  let end = () => {};
  await new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, PATIENCE_MS);
    end = manager.onConnection((connected) => connected && resolve());
  });
  clock.clearTimeout(timer);
  end();
}
