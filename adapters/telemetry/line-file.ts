import { closeSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../core/model/errors.ts';

export interface LineFileOptions {
  path: string;
  /** A file that has reached this size becomes `<path>.1`, the one before it `<path>.2`, … */
  maxBytes?: number;
  /** How many of them stay beside the present file. */
  keep?: number;
  /** Told when the file cannot be written, once until it can again; `undefined` when it can. */
  onProblem: (problem: string | undefined) => void;
  /** Told how many lines were dropped, once lines can be written again. */
  onLost: (lines: number) => void;
}

/** Lines wait this long for others to be written together with. */
const DELAY_MS = 200;
/** So many characters are written at once without waiting. */
const BATCH = 1 << 16;
/** More than this waits for no disk: further lines are counted and dropped. */
const MAX_WAITING = 1 << 23;
/** After a failure the file is tried again with the first line that comes this much later. */
const RETRY_MS = 5000;

/** A text file that grows at its end, in batches, never in the way of who writes, and never larger in all than keep + 1 files. */
export class LineFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  readonly #onProblem: LineFileOptions['onProblem'];
  readonly #onLost: LineFileOptions['onLost'];
  #waiting = '';
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  #size = 0;
  #failedAt: number | undefined;

  constructor({ path, maxBytes = 9_500_000, keep = 4, onProblem, onLost }: LineFileOptions) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    this.#onProblem = onProblem;
    this.#onLost = onLost;
  }

  /** `line` ends in a newline. */
  write(line: string): void {
    if (this.#waiting.length + line.length > MAX_WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting += line;
    this.#schedule();
  }

  /** Also after a write: what came meanwhile waits for more, or a flood would be written line by line. */
  #schedule(): void {
    if (this.#writing !== undefined || this.#waiting === '') return;
    if (this.#waiting.length >= BATCH) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), DELAY_MS).unref();
  }

  /** Resolves once all lines are on their way to the disk, or lost because there is no writing to it. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#waiting !== '') await (this.#writing ?? this.#start());
  }

  /** For a process that ends now. */
  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#waiting;
    this.#waiting = '';
    if (text === '') return;
    try {
      const fd = openSync(this.#path, 'a');
      writeSync(fd, text);
      closeSync(fd);
    } catch {
      // The process ends, and whoever could be told has been told when the file first failed.
    }
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#release();
  }

  #start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#drain().finally(() => {
      this.#writing = undefined;
      this.#schedule();
    });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = '';
    if (this.#failedAt !== undefined && Date.now() - this.#failedAt < RETRY_MS) {
      this.#count(text);
      return;
    }
    try {
      await this.#append(Buffer.from(text));
      this.#recover();
    } catch (error) {
      this.#count(text);
      if (this.#failedAt === undefined) this.#onProblem(`${this.#path} cannot be written: ${messageOf(error)}`);
      this.#failedAt = Date.now();
      await this.#release();
    }
  }

  #recover(): void {
    if (this.#failedAt !== undefined) this.#onProblem(undefined);
    this.#failedAt = undefined;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#onLost(lost);
  }

  async #append(bytes: Buffer): Promise<void> {
    if (this.#file !== undefined && this.#size > 0 && this.#size + bytes.length > this.#maxBytes) await this.#rotate();
    this.#file ??= await this.#open();
    await this.#file.appendFile(bytes);
    this.#size += bytes.length;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(path.dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a');
    this.#size = (await file.stat()).size;
    return file;
  }

  async #rotate(): Promise<void> {
    await this.#release();
    for (let n = this.#keep; n > 0; n--) {
      const from = n === 1 ? this.#path : `${this.#path}.${n - 1}`;
      await rename(from, `${this.#path}.${n}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#size = 0;
    await file?.close().catch(() => {});
  }

  #count(text: string): void {
    this.#lost += text.split('\n').length - 1;
  }
}
