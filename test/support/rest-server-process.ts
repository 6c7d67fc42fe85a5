import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const SCRIPT = path.join(import.meta.dirname, 'rest-server.ts');

export interface RestServer {
  /** Its address over HTTP. */
  base: string;
  /** The address of its broker. */
  mqtt: string;
  /** Its folder. */
  home: string;
  stop(): Promise<void>;
}

/** What the host says next. Rejects where it ends instead. */
function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the host ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}

function run(variables: Record<string, string>, held: boolean): ChildProcess {
  return fork(SCRIPT, [JSON.stringify({ variables, held })], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

/** A host that a failed test has left behind keeps no test run from its end, and ends with it. */
function release(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

async function ending(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = once(child, 'exit');
  child.ref();
  child.disconnect();
  await exit;
}

async function served(child: ChildProcess): Promise<RestServer> {
  const { http, mqtt, home } = Object(await said(child));
  release(child);
  return { base: http, mqtt, home, stop: () => ending(child) };
}

/** Starts the host in a process of its own. Resolves with its addresses once it serves. */
export const startRestServer = (variables: Record<string, string> = {}): Promise<RestServer> =>
  served(run(variables, false));

/** A host that stands still in the midst of its start: it listens on PORT already. Returns the function that ends it. */
export async function holdRestServer(
  variables: Record<string, string> & { PORT: string },
): Promise<() => Promise<void>> {
  const child = run(variables, true);
  await said(child);
  release(child);
  return () => ending(child);
}
