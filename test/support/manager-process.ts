/** A service manager in a process of its own, which can be another user's. Started by `remote-manager.ts`. */
import { systemClock } from '../../adapters/system.ts';
import { DbusManager } from '../../adapters/systemd/dbus-manager.ts';
import { SystemctlManager } from '../../adapters/systemd/systemctl-manager.ts';
import { SkullError } from '../../core/model/errors.ts';
import { SERVICES } from '../../core/model/services.ts';
import { keepingLog } from './ports.ts';
import type { FromProcess, ToProcess } from './remote-manager.ts';

const options = { clock: systemClock, log: keepingLog() };
const manager =
  process.argv[2] === 'systemctl' ? new SystemctlManager({ ...options, pollMs: 50 }) : new DbusManager(options);
const tell = (message: FromProcess) => process.send?.(message);

manager.onUnit((change) => tell({ change }));
manager.onConnection((connected) =>
  tell({ connected, units: Object.fromEntries(SERVICES.map((service) => [service, manager.unit(service)])) }),
);
process.on('message', async ({ id, service, verb }: ToProcess) => {
  try {
    tell({ id, state: await manager.act(service, verb) });
  } catch (error) {
    tell({ id, code: error instanceof SkullError ? error.code : 'internal', message: String(error) });
  }
});
process.on('disconnect', () => process.exit());
await manager.open();
