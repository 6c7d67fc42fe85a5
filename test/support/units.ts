import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SERVICES } from '../../core/model/services.ts';

/** All of this is for the inside of a machine of its own: it writes to /etc and gives orders to systemd. */

const run = promisify(execFile);

/** Resolves with what the script printed; it must succeed. */
export const sh = async (script: string): Promise<string> => (await run('bash', ['-ec', script])).stdout.trim();

export const SLEEPER = 'ExecStart=/bin/sleep infinity';

/** Writes a unit that systemd does not forget when it is stopped. */
export function writeUnit(name: string, service = SLEEPER): void {
  writeFileSync(
    `/etc/systemd/system/skull-${name}.service`,
    `[Service]\n${service}\n[Install]\nWantedBy=basic.target\n`,
  );
}

/** Writes the six units anew and starts them. */
export async function freshUnits(): Promise<void> {
  for (const service of SERVICES) writeUnit(service);
  const names = SERVICES.map((service) => `skull-${service}.service`).join(' ');
  await sh(`systemctl daemon-reload; systemctl -q enable ${names}; systemctl reset-failed; systemctl restart ${names}`);
}

/** Makes the user `skull`, who may manage the six units. Returns its id. */
export function makeUser(): number {
  execFileSync('useradd', ['--system', 'skull']);
  copyFileSync('systemd/50-skull-orchestrator.rules', '/etc/polkit-1/rules.d/50-skull-orchestrator.rules');
  return Number(execFileSync('id', ['-u', 'skull'], { encoding: 'utf8' }));
}
