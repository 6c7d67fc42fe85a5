import { open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { Log } from '../../core/model/ports.ts';
import type { Envelope, IncomingSong, Song, SongInfo, SongLibrary } from '../../core/model/songs.ts';
import { asStorageError } from '../files/storage-full.ts';
import { syncFolder, writeWhole } from '../files/write-whole.ts';
import { FRAME_MS, isReading, type Reading } from './answers.ts';
import { Children, Ended } from './children.ts';
import { nameOfUpload } from './names.ts';
import { infoOf, Shelf, type Shelved } from './shelf.ts';
import { type Facts, isSame, type Stamp } from './sidecar.ts';

/** Where files that somebody sends are put, below the folder of songs. */
export const INCOMING = '.incoming';
const UNREADABLE: Facts = { title: null, artist: null, duration_ms: null };

const factsOf = ({ title, artist, durationMs }: Reading): Facts => ({ title, artist, duration_ms: durationMs });

/** The songs of a folder. Files are looked at by processes of their own: one reads, and one computes envelopes. */
export class SongFolder implements SongLibrary {
  readonly #log: Log;
  readonly #shelf: Shelf;
  readonly #incoming: string;
  readonly #readers: Children;
  readonly #decoders: Children;
  readonly #reading = new Map<string, Promise<Facts | undefined>>();
  readonly #computing = new Map<string, Promise<Envelope | undefined>>();
  /** Songs that cannot be decoded, so that nobody tries again. */
  readonly #mute = new Map<string, Stamp>();
  /** One change of the folder at a time. */
  #change: Promise<unknown> = Promise.resolve();

  constructor(folder: string, log: Log, { readers = new Children('read'), decoders = new Children('envelope') } = {}) {
    this.#log = log;
    this.#shelf = new Shelf(path.resolve(folder), log);
    this.#incoming = path.join(this.#shelf.folder, INCOMING);
    this.#readers = readers;
    this.#decoders = decoders;
  }

  async list(): Promise<SongInfo[]> {
    return (await this.#shelf.all()).map(infoOf);
  }

  async find(name: string): Promise<Song | undefined> {
    const found = await this.#shelf.find(name);
    if (found === undefined) return undefined;
    const facts = await this.#factsOf(found);
    return { ...infoOf({ ...found, facts }), path: found.path };
  }

  async add({ path: file, filename }: IncomingSong, { replace }: { replace: boolean }): Promise<SongInfo> {
    // Whatever else is asked for would be taken away from where it is.
    if (path.dirname(path.resolve(file)) !== this.#incoming) {
      throw new SkullError(
        'invalid',
        `A song is taken in from ${this.#incoming} only: upload it as multipart/form-data.`,
      );
    }
    try {
      const name = nameOfUpload(filename);
      await this.#refuseTaken(name, replace);
      await sync(file);
      const reading = await this.#examine(file);
      return await this.#alone(() => this.#takeIn(file, name, factsOf(reading), replace));
    } catch (error) {
      throw asStorageError(error);
    } finally {
      await rm(file, { force: true });
    }
  }

  remove(name: string): Promise<boolean> {
    return this.#alone(async () => {
      const found = await this.#shelf.find(name);
      if (found === undefined) return false;
      this.#endJobs(found.path);
      await this.#shelf.discard(found);
      return true;
    });
  }

  envelope(name: string): Promise<Envelope | undefined> {
    return this.#envelopeOf(name, true);
  }

  async close(): Promise<void> {
    this.#readers.end();
    this.#decoders.end();
    await Promise.allSettled([...this.#reading.values(), ...this.#computing.values()]);
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#change.then(act);
    this.#change = done.catch(() => {});
    return done;
  }

  async #refuseTaken(name: string, replace: boolean): Promise<string | undefined> {
    const file = (await this.#shelf.files()).get(name);
    if (file === undefined || replace) return file;
    throw new SkullError('conflict', `There is a song ${name} already: ?replace=true replaces it.`);
  }

  async #takeIn(file: string, name: string, facts: Facts, replace: boolean): Promise<SongInfo> {
    const present = await this.#refuseTaken(name, replace);
    const { folder } = this.#shelf;
    const at = path.join(folder, `${name}.mp3`);
    if (present !== undefined) this.#endJobs(path.join(folder, present));
    await rename(file, at);
    if (present !== undefined && present !== `${name}.mp3`) await rm(path.join(folder, present));
    await syncFolder(folder);
    const taken = await this.#shelf.find(name);
    if (taken === undefined) throw new SkullError('conflict', `Song ${name} was removed while it was taken in.`);
    await this.#shelf.keep(taken, facts, true);
    void this.#envelopeOf(name, false);
    return infoOf({ ...taken, facts });
  }

  /** What a file is that somebody sent. Throws `unsupported_media_type` for whatever is no whole MP3. */
  async #examine(file: string): Promise<Reading> {
    const reading = await this.#readers.run(file).catch((error: Error) => {
      if (error instanceof Ended) throw new SkullError('unavailable', 'The orchestrator stops: send it again later.');
      throw unsupported(`reading it came to no end (${error.message})`);
    });
    if (!isReading(reading)) throw unsupported('it cannot be read');
    if (reading.fault !== null) throw unsupported(reading.fault);
    return reading;
  }

  /** What is known of a song; it is read first where that is nothing yet. Undefined where the reading was ended. */
  #factsOf(song: Shelved): Promise<Facts | undefined> {
    if (song.facts !== undefined) return Promise.resolve(song.facts);
    return shared(this.#reading, song, () => this.#read(song));
  }

  async #read(song: Shelved): Promise<Facts | undefined> {
    try {
      const reading = await this.#readers.run(song.path);
      const facts = isReading(reading) ? factsOf(reading) : UNREADABLE;
      await this.#alone(() => this.#keep(song, facts, true));
      return facts;
    } catch (error) {
      if (error instanceof Ended) return undefined;
      this.#log.warn({ kind: 'system', msg: `Song ${song.name} cannot be read: ${messageOf(error)}` });
      await this.#keep(song, UNREADABLE, false);
      return UNREADABLE;
    }
  }

  /** Keeps what was read, unless the file is another one by now. */
  async #keep(song: Shelved, facts: Facts, lasting: boolean): Promise<void> {
    if (await this.#shelf.isStill(song)) await this.#shelf.keep(song, facts, lasting);
  }

  /** `urgent`: somebody waits for it, so it comes before those that nobody waits for. */
  async #envelopeOf(name: string, urgent: boolean): Promise<Envelope | undefined> {
    const song = await this.#shelf.find(name);
    if (song === undefined) return undefined;
    // What was made for an older file is gone once the present one has been read.
    if ((await this.#factsOf(song)) === undefined) return undefined;
    const stored = await readFile(this.#shelf.beside(song.name, 'jaw')).catch(() => undefined);
    if (stored !== undefined) return { frameMs: FRAME_MS, frames: stored };
    const silenced = this.#mute.get(song.path);
    if (silenced !== undefined && isSame(silenced, song.stamp)) return undefined;
    const computing = shared(this.#computing, song, () => this.#compute(song));
    if (urgent) this.#decoders.hurry(song.path);
    return computing;
  }

  async #compute(song: Shelved): Promise<Envelope | undefined> {
    try {
      const frames = await this.#decoders.run(song.path);
      if (!(frames instanceof Uint8Array)) throw new Error('nothing of it can be decoded');
      await this.#alone(() => this.#store(song, frames));
      return { frameMs: FRAME_MS, frames };
    } catch (error) {
      if (error instanceof Ended || !(await this.#shelf.isStill(song))) return undefined;
      this.#mute.set(song.path, song.stamp);
      this.#log.warn({ kind: 'system', msg: `Song ${song.name} moves no jaw: ${messageOf(error)}` });
      return undefined;
    }
  }

  async #store(song: Shelved, frames: Uint8Array): Promise<void> {
    if (!(await this.#shelf.isStill(song))) return;
    try {
      await writeWhole(this.#shelf.beside(song.name, 'jaw'), frames);
    } catch (error) {
      this.#log.warn({ kind: 'system', msg: `The jaw of song ${song.name} cannot be stored: ${messageOf(error)}` });
    }
  }

  #endJobs(file: string): void {
    this.#readers.end(file);
    this.#decoders.end(file);
    this.#mute.delete(file);
  }
}

/** What is being done for this very file already, else what is begun now. */
function shared<T>(
  begun: Map<string, Promise<T>>,
  { path: file, stamp }: Shelved,
  begin: () => Promise<T>,
): Promise<T> {
  const key = [file, stamp.size, stamp.mtimeMs].join('\0');
  const doing = begun.get(key) ?? begin().finally(() => begun.delete(key));
  begun.set(key, doing);
  return doing;
}

const unsupported = (fault: string) =>
  new SkullError('unsupported_media_type', `This is no MP3 that can be played: ${fault}.`, {
    issues: [{ path: '/file', message: fault }],
  });

/** Makes what was sent outlive a power cut, before it is called a song. Fails where the disk turns out to be full. */
async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
