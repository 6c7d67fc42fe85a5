import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deadline, sleep } from './numbers.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** A folder for what the measured processes write; gone at the end. */
export const WORK = mkdtempSync(path.join(tmpdir(), 'skull-bench-'));

const STOP_MS = 6000;
const MESSAGE_MS = 10_000;
const running = new Set<ChildProcess>();
const starts = new Set<Running>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(WORK, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

export interface Running {
  pid: number;
  child: ChildProcess;
  stop(): Promise<void>;
}

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  /** Gets stdout; without it the output goes to a file, so that a busy reader never holds the process up. */
  onOutput?: (text: string) => void;
  /** For our own Node processes that send messages to their parent. */
  ipc?: boolean;
}

let files = 0;

/** Starts a program (by default with the environment of the bench) that ends with the bench at the latest. */
export function start(command: string, args: readonly string[], { env, onOutput, ipc }: StartOptions = {}): Running {
  const file = path.join(WORK, `output-${++files}.txt`);
  const output = openSync(file, 'w');
  const child = spawn(command, args, {
    cwd: ROOT,
    env: env ?? process.env,
    stdio: ['ignore', onOutput === undefined ? output : 'pipe', output, ...(ipc === true ? ['ipc' as const] : [])],
  });
  running.add(child);
  child.stdout?.setEncoding('utf8').on('data', onOutput ?? (() => {}));
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    const unexpected = running.delete(child) && code !== 0 && code !== null;
    if (unexpected) console.error(`${path.basename(command)} ${args.join(' ')} ended with ${code}:\n${tailOf(file)}`);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} cannot be started`);
  const started: Running = {
    pid,
    child,
    stop: async () => {
      starts.delete(started);
      if (!running.delete(child)) return;
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(killer);
    },
  };
  starts.add(started);
  return started;
}

/** Stops whatever a failed measurement has left. */
export async function stopAll(): Promise<void> {
  await Promise.all([...starts].map(({ stop }) => stop()));
}

const tailOf = (file: string): string => readFileSync(file, 'utf8').split('\n').slice(-15).join('\n');

/** The next message that a Node process sends to its parent; rejects when it ends before. */
export async function nextMessage({ child }: Running): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('A helper process has ended')));
  try {
    const next = Promise.race([once(child, 'message', { signal }), ended]);
    const [message] = (await deadline(next, MESSAGE_MS, 'A helper process')) as unknown[];
    return message;
  } finally {
    settled.abort();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Resolves once the check gives something; asks every few milliseconds. */
export async function until<T>(check: () => Promise<T | undefined>, ms: number, what: string): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`${what}: nothing within ${ms} ms`);
    await sleep(3);
  }
}
