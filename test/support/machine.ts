import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MISSING: readonly (readonly [boolean, string])[] = [
  [process.getuid?.() !== 0, 'needs root'],
  [!existsSync('/lib/systemd/systemd'), 'needs systemd: apt-get install systemd systemd-sysv'],
  [!existsSync('/usr/bin/dbus-daemon'), 'needs D-Bus: apt-get install dbus'],
  [!existsSync('/usr/bin/pkcheck'), 'needs polkit: apt-get install polkitd'],
];

export interface Answer {
  code: number;
  /** What the script printed, to stdout and stderr. */
  output: string;
}

/** Skips the suite where no systemd can be started, and says what is missing; in CI nothing may be. */
export function needsSystemd(suite: Mocha.Context): void {
  const hint = MISSING.find(([missing]) => missing)?.[1];
  if (hint === undefined) return;
  if (process.env.CI === 'true') throw new Error(hint);
  suite.test?.parent?.suites.forEach((one) => {
    one.title += ` (${hint})`;
  });
  suite.skip();
}

/** A machine of its own with a real systemd, as `with-systemd.sh` boots it: root's shell in it. The clone is /srv/skull. */
export class Machine {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  static async boot<M extends Machine>(this: new (child: ChildProcess, lines: Interface) => M): Promise<M> {
    const shell = path.join(ROOT, 'test/support/with-systemd.sh');
    const child = spawn(shell, ['bash', '--norc'], { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    const machine = new this(child, createInterface({ input: child.stdout }));
    await machine.sh('systemctl --version');
    return machine;
  }

  /** Runs a script; resolves when it has ended, whatever its exit code. One at a time. */
  async try(script: string): Promise<Answer> {
    const lines: string[] = [];
    const end = `-- end of ${crypto.randomUUID()}`;
    const text = Buffer.from(script).toString('base64');
    const ended = new Promise<number>((resolve, reject) => {
      const gone = () => reject(new Error(`The machine is gone. ${lines.join('\n')}`));
      const hear = (line: string) => {
        if (!line.startsWith(end)) return void lines.push(line);
        this.#lines.off('line', hear).off('close', gone);
        resolve(Number(line.slice(end.length)));
      };
      this.#lines.on('line', hear).on('close', gone);
    });
    // What a script leaves without a last line end is ended here.
    this.#child.stdin?.write(`bash -c "$(base64 -d <<<${text})" </dev/null 2>&1; echo $'\\n'"${end} $?"\n`);
    const code = await ended;
    return { code, output: lines.join('\n').trim() };
  }

  /** Runs a script that must succeed; resolves with what it printed. */
  async sh(script: string): Promise<string> {
    const { code, output } = await this.try(script);
    assert.equal(code, 0, `${script}\n${output}`);
    return output;
  }

  /** Resolves once the script succeeds; fails when it has not within so many seconds. */
  async until(script: string, seconds = 15): Promise<void> {
    await this.sh(
      `timeout ${seconds} bash -c 'until eval "$0" >/dev/null 2>&1; do sleep 0.05; done' ${quoted(script)}`,
    );
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'close');
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
