import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../core/model/errors.ts';
import type { Log } from '../../core/model/ports.ts';
import type { SongInfo } from '../../core/model/songs.ts';
import { isTemporary } from '../files/write-whole.ts';
import { nameOfFile } from './names.ts';
import { type Facts, isSame, readFacts, type Stamp, writeFacts } from './sidecar.ts';

/** A song's file as it is now. */
export interface Shelved {
  name: string;
  path: string;
  stamp: Stamp;
  /** Undefined while it has not been read. */
  facts: Facts | undefined;
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

export const infoOf = ({ name, stamp, facts }: Shelved): SongInfo => ({
  name,
  title: facts?.title ?? name,
  artist: facts?.artist ?? null,
  duration_ms: facts?.duration_ms ?? null,
  size: stamp.size,
});

/** A file, or a link to one; undefined for anything else. */
async function stampOf(file: string): Promise<Stamp | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? { size: found.size, mtimeMs: found.mtimeMs } : undefined;
}

/** The files of a folder that are songs, and what is known of each: in its sidecar, and from then on in memory. */
export class Shelf {
  readonly folder: string;
  readonly #log: Log;
  readonly #known = new Map<string, { stamp: Stamp; facts: Facts }>();
  #isClean = false;

  constructor(folder: string, log: Log) {
    this.folder = folder;
    this.#log = log;
  }

  /** What lies beside a song: `json` is what is known of it, `jaw` how loud it is. */
  beside(name: string, what: 'json' | 'jaw'): string {
    return path.join(this.folder, `${name}.${what}`);
  }

  /** Every song's file, by its name. */
  async files(): Promise<Map<string, string>> {
    const entries = await readdir(this.folder, { withFileTypes: true }).catch(() => []);
    if (!this.#isClean) await this.#clean(entries.map(({ name }) => name));
    const files = new Map<string, string>();
    for (const entry of entries) {
      const name = entry.isFile() || entry.isSymbolicLink() ? nameOfFile(entry.name) : undefined;
      // Where names differ in the ending only, the one that we would have given it counts.
      if (name !== undefined && files.get(name) !== `${name}.mp3`) files.set(name, entry.name);
    }
    return files;
  }

  async all(): Promise<Shelved[]> {
    const files = await this.files();
    for (const name of this.#known.keys()) if (!files.has(name)) this.#known.delete(name);
    const found = await Promise.all(Array.from(files, ([name, file]) => this.#shelved(name, file)));
    return found.filter((song) => song !== undefined).sort(byName);
  }

  /** By name, with or without `.mp3`. */
  async find(asked: string): Promise<Shelved | undefined> {
    const files = await this.files();
    for (const wanted of [asked, asked.replace(/\.mp3$/i, '')]) {
      const name = wanted.normalize('NFC');
      const file = files.get(name);
      if (file !== undefined) return this.#shelved(name, file);
    }
    return undefined;
  }

  /** Keeps what was found out about a song, on disk too where `lasting`; what else lay beside it spoke of an older file. */
  async keep({ name, stamp }: Shelved, facts: Facts, lasting: boolean): Promise<void> {
    this.#known.set(name, { stamp, facts });
    try {
      await rm(this.beside(name, 'jaw'), { force: true });
      if (lasting) await writeFacts(this.beside(name, 'json'), facts, stamp);
    } catch (error) {
      this.#log.warn({ kind: 'system', msg: `What is known of song ${name} cannot be stored: ${messageOf(error)}` });
    }
  }

  /** Removes a song and what lies beside it. */
  async discard({ name, path: file }: Shelved): Promise<void> {
    this.#known.delete(name);
    await rm(file, { force: true });
    await rm(this.beside(name, 'json'), { force: true });
    await rm(this.beside(name, 'jaw'), { force: true });
  }

  async isStill({ path: file, stamp }: Shelved): Promise<boolean> {
    const now = await stampOf(file);
    return now !== undefined && isSame(now, stamp);
  }

  async #shelved(name: string, file: string): Promise<Shelved | undefined> {
    const at = path.join(this.folder, file);
    const stamp = await stampOf(at);
    if (stamp === undefined) return undefined;
    const known = this.#known.get(name);
    if (known !== undefined && isSame(known.stamp, stamp)) return { name, path: at, stamp, facts: known.facts };
    const facts = await readFacts(this.beside(name, 'json'), stamp);
    if (facts !== undefined) this.#known.set(name, { stamp, facts });
    return { name, path: at, stamp, facts };
  }

  /** Removes what an interrupted write left: temporary files that are older than this process. */
  async #clean(files: readonly string[]): Promise<void> {
    this.#isClean = true;
    for (const file of files.filter(isTemporary)) {
      const at = path.join(this.folder, file);
      const stamp = await stampOf(at);
      if (stamp !== undefined && stamp.mtimeMs < performance.timeOrigin) await rm(at, { force: true }).catch(() => {});
    }
  }
}
