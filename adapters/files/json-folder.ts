import { type FSWatcher, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { DocumentFolder } from '../../core/model/ports.ts';
import { codeOf, FOLDER_MODE, isTemporary, writeWhole } from './write-whole.ts';

const DOCUMENT = /^([A-Za-z0-9][A-Za-z0-9_-]*)\.json$/;
/** An editor writes in several steps; its file is read once it has been quiet for so long. */
const SETTLE_MS = 50;

interface Waiting {
  text: string;
  done: Promise<void>;
}

/** JSON documents as files of a folder: `<name>.json`, indented, each replaced as a whole. */
export class JsonFolder implements DocumentFolder {
  readonly path: string;
  /** Each document's text as we last read or wrote it: what differs from it was written by somebody else. */
  readonly #known = new Map<string, string>();
  /** By file name: the write that has not begun, and the end of the last one asked for. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #writing = new Map<string, Promise<void>>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #settling = new Map<string, NodeJS.Timeout>();
  #watcher: FSWatcher | undefined;

  /** Makes the folder where it is missing, and clears what an interrupted write left in it. */
  constructor(folder: string) {
    this.path = path.resolve(folder);
    try {
      mkdirSync(this.path, { recursive: true, mode: FOLDER_MODE });
      this.#clean();
    } catch {
      // A read-only disk: documents can still be read, and each `save` says what is wrong.
    }
  }

  load(name: string): unknown {
    const file = this.#fileOf(name);
    const text = this.#read(name);
    if (text === undefined) {
      this.#known.delete(name);
      return undefined;
    }
    this.#known.set(name, text);
    try {
      return JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch (cause) {
      throw new SkullError('document_broken', `${file} is not JSON: ${messageOf(cause)}`, { cause });
    }
  }

  save(name: string, value: unknown): Promise<void> {
    return this.#write(this.#fileOf(name), value);
  }

  setAside(name: string, suffix: string): void {
    const file = this.#fileOf(name);
    renameSync(path.join(this.path, file), path.join(this.path, `${file}.${suffix}`));
    this.#known.delete(name);
  }

  saveBeside(name: string, suffix: string, value: unknown): Promise<void> {
    return this.#write(`${this.#fileOf(name)}.${suffix}`, value);
  }

  watch(listener: (name: string) => void): () => void {
    this.#watcher ??= this.#startWatcher();
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stopWatcher();
    };
  }

  async flush(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing.values());
  }

  #fileOf(name: string): string {
    const file = `${name}.json`;
    if (!DOCUMENT.test(file)) throw new SkullError('invalid', `Not a name for a document: ${JSON.stringify(name)}.`);
    return file;
  }

  #read(name: string): string | undefined {
    const file = path.join(this.path, this.#fileOf(name));
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return undefined;
      throw new SkullError('document_broken', `${file} cannot be read: ${messageOf(cause)}`, { cause });
    }
  }

  #write(file: string, value: unknown): Promise<void> {
    const text = `${JSON.stringify(value, null, 2)}\n`;
    const waiting = this.#waiting.get(file);
    if (waiting !== undefined) {
      waiting.text = text;
      return waiting.done;
    }
    const before = this.#writing.get(file) ?? Promise.resolve();
    const entry: Waiting = { text, done: before };
    const begin = () => {
      this.#waiting.delete(file);
      return this.#replace(file, entry.text);
    };
    entry.done = before.then(begin, begin).finally(() => {
      if (this.#writing.get(file) === entry.done) this.#writing.delete(file);
    });
    this.#waiting.set(file, entry);
    this.#writing.set(file, entry.done);
    return entry.done;
  }

  async #replace(file: string, text: string): Promise<void> {
    await writeWhole(path.join(this.path, file), text);
    const name = DOCUMENT.exec(file)?.[1];
    if (name !== undefined) this.#known.set(name, text);
  }

  /** Removes temporary files that are older than this process, and so nobody's. */
  #clean(): void {
    for (const file of readdirSync(this.path)) {
      const temporary = path.join(this.path, file);
      if (isTemporary(file) && statSync(temporary).mtimeMs < performance.timeOrigin) rmSync(temporary);
    }
  }

  #startWatcher(): FSWatcher {
    const watcher = watch(this.path, { persistent: false }, (_event, file) => {
      const name = file === null ? undefined : DOCUMENT.exec(file)?.[1];
      if (name !== undefined) this.#settle(name);
    });
    watcher.on('error', () => this.#stopWatcher());
    return watcher;
  }

  #stopWatcher(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    for (const timer of this.#settling.values()) clearTimeout(timer);
    this.#settling.clear();
  }

  #settle(name: string): void {
    clearTimeout(this.#settling.get(name));
    this.#settling.set(
      name,
      setTimeout(() => void this.#look(name), SETTLE_MS),
    );
  }

  /** Tells the listeners of a document that is not as we know it, once our own write of it is over. */
  async #look(name: string): Promise<void> {
    this.#settling.delete(name);
    const own = this.#writing.get(`${name}.json`);
    if (own !== undefined) {
      await Promise.allSettled([own]);
      if (this.#watcher !== undefined) this.#settle(name);
      return;
    }
    if (this.#isAsKnown(name)) return;
    for (const listener of this.#listeners) listener(name);
  }

  #isAsKnown(name: string): boolean {
    try {
      return this.#read(name) === this.#known.get(name);
    } catch {
      return false;
    }
  }
}
