import { SkullError } from '../../core/model/errors.ts';
import type { Envelope, Song, SongLibrary } from '../../core/model/songs.ts';

const MINUTE_MS = 60_000;

/** Songs of a minute each, without files; `envelopes` by name. */
export class MemorySongs implements SongLibrary {
  readonly #names: string[];
  readonly #envelopes: Record<string, Envelope>;

  constructor(names: readonly string[] = [], envelopes: Record<string, Envelope> = {}) {
    this.#names = [...names];
    this.#envelopes = envelopes;
  }

  async list(): Promise<Song[]> {
    return this.#names.toSorted().map((name) => ({
      name,
      title: name,
      artist: null,
      duration_ms: MINUTE_MS,
      size: 1000,
      path: `/home/skull/songs/${name}.mp3`,
    }));
  }

  async find(wanted: string): Promise<Song | undefined> {
    return (await this.list()).find(({ name }) => name === wanted || `${name}.mp3` === wanted);
  }

  async add(): Promise<never> {
    throw new SkullError('unavailable', 'These songs are not on a disk.');
  }

  async remove(wanted: string): Promise<boolean> {
    const at = this.#names.indexOf(wanted);
    if (at >= 0) this.#names.splice(at, 1);
    return at >= 0;
  }

  async envelope(name: string): Promise<Envelope | undefined> {
    return this.#envelopes[name];
  }

  async close(): Promise<void> {}
}
