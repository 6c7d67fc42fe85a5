import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import path from 'node:path';
import { messageOf } from '../../core/model/errors.ts';

export type Task = 'read' | 'envelope';

interface Job {
  file: string;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

const SCRIPT = path.join(import.meta.dirname, `child${path.extname(import.meta.filename)}`);
/** Of the process; so the body comes first, whatever is computed. */
const NICENESS = 10;
/** A child is small and slow rather than large. */
const MEMORY = ['--max-old-space-size=64', '--max-semi-space-size=1'];
const SILENCE_MS = 60_000;

/** A job that was not let come to its end. */
export class Ended extends Error {}

const ended = () => new Ended('it was ended');

/**
 * Has files looked at by child processes, one at a time: what a hostile file does to one of them is over with it. A child
 * that gives no sign of life for so long is ended.
 */
export class Children {
  readonly #task: Task;
  readonly #silenceMs: number;
  readonly #script: string;
  readonly #waiting: Job[] = [];
  #running: { job: Job; child: ChildProcess } | undefined;

  constructor(task: Task, { silenceMs = SILENCE_MS, script = SCRIPT } = {}) {
    this.#task = task;
    this.#silenceMs = silenceMs;
    this.#script = script;
  }

  /** Resolves with the child's answer. Rejects where it crashes or falls silent, and with Ended where it was ended. */
  run(file: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ file, resolve, reject });
      this.#next();
    });
  }

  /** Puts the job of a file before all others that wait. */
  hurry(file: string): void {
    const at = this.#waiting.findIndex((job) => job.file === file);
    if (at > 0) this.#waiting.unshift(...this.#waiting.splice(at, 1));
  }

  /** Ends the jobs of a file, of every file where none is named. */
  end(file?: string): void {
    const isMeant = (job: Job) => file === undefined || job.file === file;
    for (const job of this.#waiting.filter(isMeant)) {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      job.reject(ended());
    }
    if (this.#running !== undefined && isMeant(this.#running.job)) {
      this.#running.job.reject(ended());
      this.#running.child.kill('SIGKILL');
    }
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    try {
      this.#start(job);
    } catch (cause) {
      job.reject(new Error(`no process can be started: ${messageOf(cause)}`, { cause }));
      this.#next();
    }
  }

  #start(job: Job): void {
    const child = fork(this.#script, [this.#task, job.file], {
      env: {},
      execArgv: MEMORY,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#running = { job, child };
    lower(child);
    const timer = setTimeout(() => {
      job.reject(new Error(`it gave no sign of life for ${this.#silenceMs} ms`));
      child.kill('SIGKILL');
    }, this.#silenceMs);
    const over = (error: Error) => {
      clearTimeout(timer);
      job.reject(error);
      if (this.#running?.child !== child) return;
      this.#running = undefined;
      this.#next();
    };
    child.on('message', (message) => {
      timer.refresh();
      if (typeof message === 'object' && 'answer' in message) job.resolve(message.answer);
    });
    child.once('error', over);
    child.once('close', (code, signal) => over(new Error(`it ended with ${signal ?? code}`)));
  }
}

function lower({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, NICENESS);
  } catch {
    // It has ended already.
  }
}
