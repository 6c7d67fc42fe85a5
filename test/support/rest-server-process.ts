import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';

const SCRIPT = path.join(import.meta.dirname, 'rest-server.ts');

/** Starts the host in a process of its own. Resolves with its address once it serves. */
export async function startRestServer(variables: Record<string, string> = {}) {
  const child: ChildProcess = fork(SCRIPT, {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const base = await new Promise<string>((resolve, reject) => {
    child.once('message', (address) => resolve(String(address)));
    child.once('exit', (code) => reject(new Error(`the host ended with ${code}`)));
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.disconnect();
    });
  return { base, stop };
}
