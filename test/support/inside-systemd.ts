import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { needsSystemd } from './machine.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** So long may what runs inside take; then it is ended, with all it has started. */
const LIMIT_MS = 180_000;
const INSIDE = process.env.container === 'skull-systemd';

/**
 * Declares suites that run as root inside a machine of its own with a real systemd (see `with-systemd.sh`). Outside of
 * one they are a single test, which runs the whole file there.
 */
export function insideSystemd(title: string, file: string, suites: () => void): void {
  if (INSIDE) {
    describe(title, suites);
    return;
  }
  describe(title, function () {
    this.timeout(LIMIT_MS + 10_000);

    before(function () {
      needsSystemd(this);
    });

    it('holds, in a machine of its own', async () => {
      const { code, output } = await runInside(['node_modules/.bin/mocha', path.relative(ROOT, file)]);
      assert.equal(code, 0, output);
    });
  });
}

/** Runs a program inside such a machine, in the root of the clone, to its end. */
export async function runInside(command: readonly string[]): Promise<{ code: number; output: string }> {
  const bin = path.join(ROOT, 'node_modules/.bin');
  const child = spawn(path.join(import.meta.dirname, 'with-systemd.sh'), command, {
    cwd: ROOT,
    env: { ...process.env, PATH: `/srv/skull/node_modules/.bin:${bin}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as unknown[];
  return { code: typeof code === 'number' ? code : 1, output };
}
