/** `node healthy.mjs <unit>`: waits until the service answers GET /health well; fails where it does not in time. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseEnv } from 'node:util';

const PATIENCE_MS = 10_000;
const ANYWHERE = ['', '0.0.0.0', '::'];

const [, , unit = ''] = process.argv;

/** Where the service listens, as its environment says, and under that the `.env` of its working directory. */
function address() {
  const pid = execFileSync('systemctl', ['show', '--property=MainPID', '--value', unit], { encoding: 'utf8' }).trim();
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const file = `/proc/${pid}/cwd/.env`;
  const variables = {
    ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}),
    ...Object.fromEntries(environment.map((entry) => entry.split(/=(.*)/s))),
  };
  const setting = (name) => variables[name]?.trim() ?? '';
  const host = ANYWHERE.includes(setting('HOST')) ? '127.0.0.1' : setting('HOST');
  return `http://${host.includes(':') ? `[${host}]` : host}:${setting('PORT') || 8080}/health`;
}

async function ask() {
  const url = address();
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  const { service, status } = await response.json();
  if (!response.ok || service !== 'orchestrator') throw new Error(`${url} answers ${response.status} ${status}`);
}

for (;;) {
  try {
    await ask();
    break;
  } catch (error) {
    if (performance.now() > PATIENCE_MS) {
      process.stderr.write(`Not healthy within ${PATIENCE_MS / 1000} s: ${error.message}\n`);
      process.exit(1);
    }
    await pause(250);
  }
}
