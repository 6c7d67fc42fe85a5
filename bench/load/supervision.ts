/**
 * Measures supervision over D-Bus beside a real systemd; run by `rows/supervision.ts` as root inside `with-systemd.sh`,
 * it goes on as the user of the service. Prints one line of JSON.
 */
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createClient } from 'dbus-native';
import { systemClock } from '../../adapters/system.ts';
import { DbusManager } from '../../adapters/systemd/dbus-manager.ts';
import { SERVICES } from '../../core/model/services.ts';
import { sleep } from '../support/numbers.ts';

/** Milliseconds, but for `cpu`: percent of a core. */
export interface Supervision {
  crash: number[];
  restart: number[];
  systemctl: number[];
  cpu: number;
}

const [rounds = 10, idleMs = 1000] = process.argv.slice(2).map(Number);
const RULE = '50-skull-orchestrator.rules';
const UNIT = 'skull-motion.service';

const sh = (script: string): string => execFileSync('bash', ['-ec', script], { encoding: 'utf8' }).trim();
const systemctl = (...words: string[]) => promisify(execFile)('systemctl', ['--no-ask-password', ...words]);

/** The unit's process, once it has become ours to kill. */
async function mainPid(): Promise<number> {
  const pid = Number(sh(`systemctl show --property=MainPID --value ${UNIT}`));
  for (;;) {
    try {
      process.kill(pid, 0);
      return pid;
    } catch {
      await sleep(1);
    }
  }
}

/** Starts six idle services as the user that manages them, and becomes that user. */
function prepare(): void {
  sh('useradd --system skull');
  copyFileSync(`systemd/${RULE}`, `/etc/polkit-1/rules.d/${RULE}`);
  for (const service of SERVICES) {
    const unit = '[Service]\nUser=skull\nExecStart=/bin/sleep infinity\n';
    writeFileSync(`/etc/systemd/system/skull-${service}.service`, unit);
  }
  sh(`systemctl daemon-reload; systemctl start ${SERVICES.map((service) => `skull-${service}`).join(' ')}`);
  const id = Number(sh('id --user skull'));
  process.setgroups?.([]);
  process.setgid?.(id);
  process.setuid?.(id);
}

/** Calls back at every job that anybody asks for. */
async function watchJobs(listener: () => void): Promise<void> {
  const bus = createClient({ busAddress: 'unix:path=/run/dbus/system_bus_socket' });
  await bus.addMatch(`type='signal',sender='org.freedesktop.systemd1',member='JobNew',arg2='${UNIT}'`);
  bus.connection.on('message', ({ member }) => {
    if (member === 'JobNew') listener();
  });
}

prepare();
const quiet = () => {};
const manager = new DbusManager({ clock: systemClock, log: { debug: quiet, info: quiet, warn: quiet, error: quiet } });
manager.open();
await new Promise<void>((resolve) => manager.onConnection((connected) => connected && resolve()));

const before = process.cpuUsage();
await sleep(idleMs);
const used = process.cpuUsage(before);
const figures: Supervision = { crash: [], restart: [], systemctl: [], cpu: (used.user + used.system) / idleMs / 10 };

async function timed(action: () => Promise<unknown> | unknown): Promise<number> {
  const began = performance.now();
  await action();
  return performance.now() - began;
}
for (let round = 0; round < rounds; round++) {
  figures.restart.push(await timed(() => manager.act('motion', 'restart')));
  // As it would have to be done: not in the way of anything else.
  figures.systemctl.push(await timed(() => systemctl('restart', UNIT)));
  // They are more than systemd starts in so short a time.
  await systemctl('reset-failed', UNIT);
}

let asked = quiet;
await watchJobs(() => asked());
for (let round = 0; round < rounds; round++) {
  const pid = await mainPid();
  let restarted = Promise.resolve<unknown>(undefined);
  const end = manager.onUnit(({ state }) => {
    if (state === 'failed') restarted = manager.act('motion', 'restart');
  });
  const job = new Promise<void>((resolve) => {
    asked = resolve;
  });
  figures.crash.push(
    await timed(() => {
      process.kill(pid, 'SIGKILL');
      return job;
    }),
  );
  await restarted;
  end();
}
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
