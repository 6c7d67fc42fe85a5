import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../core/model/errors.ts';
import { checkAccess, checkBroker, checkPort } from '../doctor/doors.ts';
import { type Finding, findings } from '../doctor/finding.ts';
import { checkConfig, checkDisk, checkFlowFolder, checkFolders, checkSecrets, checkSongs } from '../doctor/home.ts';
import { checkMemory, checkRight, checkUnits } from '../doctor/services.ts';
import { type Environment, loadEnvironment } from '../env.ts';

const USER = 'skull';

/** The settings of an installation, which its unit reads; of a clone, its `.env`. */
function settingsFile(): string {
  const installed = path.join(process.env.SKULL_HOME || '.skull', 'config/orchestrator.env');
  return existsSync(installed) ? installed : '.env';
}

/** What `id` says of a user, wherever the machine knows its users from; undefined where there is no such user. */
function idOf(user: string, option: '--user' | '--group' | '--groups'): string | undefined {
  const { status, stdout } = spawnSync('id', [option, user], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** From here on we see what the service sees. */
function becomeUser(user: string): void {
  process.setgroups?.((idOf(user, '--groups') ?? '').split(' ').map(Number));
  process.setgid?.(Number(idOf(user, '--group')));
  process.setuid?.(user);
}

function checkNode(): Finding[] {
  const { ok, warn } = findings('node');
  const detail = `Node.js ${process.versions.node}, ${process.arch}, ${process.execPath}`;
  return [process.arch === 'arm' ? warn(detail, 'a 64-bit system: Node.js 24 has no 32-bit ARM') : ok(detail)];
}

/** A check that cannot be made is a finding, too. */
async function made(check: string, make: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await make();
  } catch (error) {
    return [findings(check).warn(`cannot be checked: ${messageOf(error)}`, 'run it with sudo')];
  }
}

async function examine(env: Environment): Promise<Finding[]> {
  const uid = env.mode === 'production' ? idOf(USER, '--user') : undefined;
  const own = process.getuid?.();
  if (uid !== undefined && own !== 0 && own !== Number(uid)) {
    return [findings('user').fail(`only root and ${USER} can see what is in ${env.home}`, 'run it with sudo')];
  }
  const asRoot = [
    ...(await made('systemd', () => checkUnits(env))),
    ...(await made('right', () => checkRight(env, uid))),
    ...(await made('memory', () => checkMemory())),
  ];
  if (uid !== undefined && own === 0) becomeUser(USER);
  const { runs, found } = await checkPort(env);
  return [
    ...(await made('folders', () => checkFolders(env))),
    ...(await made('secrets', () => checkSecrets(settingsFile()))),
    ...(await made('config', () => checkConfig(env))),
    ...(await made('flows', () => checkFlowFolder(env))),
    ...(await made('songs', () => checkSongs(env))),
    ...(await made('disk', () => checkDisk(env))),
    ...found,
    ...(await made('broker', () => checkBroker(env, runs))),
    ...checkAccess(env),
    ...asRoot,
  ];
}

async function examineAll(): Promise<Finding[]> {
  const { ok, fail } = findings('settings');
  const file = settingsFile();
  try {
    const env = loadEnvironment(file);
    const from = existsSync(file) ? `, with ${path.resolve(file)}` : '';
    return [...checkNode(), ok(`${env.mode}, in ${env.home}${from}`), ...(await examine(env))];
  } catch (error) {
    return [...checkNode(), fail(messageOf(error), `correct it in ${path.resolve(file)}, then restart`)];
  }
}

const textOf = ({ check, result, detail, remedy }: Finding): string =>
  `${result.padEnd(4)}  ${check.padEnd(8)}  ${detail}${remedy === undefined ? '' : ` → ${remedy}`}\n`;

/** `skull doctor`: prints what is well and what is not, with what to do; the process ends with 1 when something fails. */
export async function doctor({ json }: { json?: boolean }): Promise<void> {
  const checks = await examineAll();
  const isWell = checks.every(({ result }) => result !== 'fail');
  process.stdout.write(json ? `${JSON.stringify({ ok: isWell, checks }, null, 2)}\n` : checks.map(textOf).join(''));
  if (!isWell) process.exitCode = 1;
}
