import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** `skull` as its own process, from what was built; nothing of our environment reaches it but the PATH. */
export class Skull {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], variables: Record<string, string> = {}, cwd = PACKAGE_ROOT) {
    this.#child = spawn(path.join(PACKAGE_ROOT, 'dist/runtime/cli.js'), args, {
      cwd,
      env: { PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.#stdout += chunk;
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.#ended = once(this.#child, 'close');
  }

  /** Resolves with what the text has said so far, once it matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      const more = this.#child.stdout === null ? [] : [once(this.#child.stdout, 'data')];
      await Promise.race([this.#ended, ...more]);
      if (this.#child.exitCode !== null) throw new Error(`skull ended: ${this.#stdout}${this.#stderr}`);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async ended(): Promise<Ended> {
    await this.#ended;
    return { code: this.#child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  /** For a test's end, however it went. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
