import { messageOf } from '../../model/errors.ts';
import type { Log, Random } from '../../model/ports.ts';
import type { Song, SongLibrary } from '../../model/songs.ts';
import { type Played, Setlist } from './setlist.ts';

/** Draws songs that are there. */
export class Repertoire {
  readonly #songs: Pick<SongLibrary, 'list' | 'find'>;
  readonly #log: Log;
  readonly #setlist: Setlist;

  constructor(songs: Pick<SongLibrary, 'list' | 'find'>, random: Random, log: Log, played: Played) {
    this.#songs = songs;
    this.#log = log;
    this.#setlist = new Setlist(random, played);
  }

  /** How many songs there were when it was last looked. */
  get size(): number {
    return this.#setlist.size;
  }

  get memory(): Played {
    return this.#setlist.memory;
  }

  upcoming(count: number, shuffle: boolean): (string | null)[] {
    return this.#setlist.upcoming(count, shuffle);
  }

  /** Looks which songs there are. Rejects where they cannot be read. */
  async look(): Promise<void> {
    const songs = await this.#songs.list();
    this.#setlist.update(songs.map(({ name }) => name));
  }

  /** The next song that is there, whose length is known unless that is so of none; undefined where there is none. Never rejects. */
  async draw(shuffle: () => boolean): Promise<Song | undefined> {
    try {
      await this.look();
      let unread: Song | undefined;
      for (let left = this.#setlist.size; left > 0; left--) {
        const name = this.#setlist.take(shuffle());
        const song = name === undefined ? undefined : await this.#songs.find(name);
        if (typeof song?.duration_ms === 'number') return song;
        unread ??= song;
      }
      if (unread !== undefined) return unread;
      this.#log.warn({ kind: 'activity', msg: 'FullAuto has no song to play: there is none in the songs folder' });
    } catch (error) {
      this.#log.error({ kind: 'activity', msg: `FullAuto cannot read the songs: ${messageOf(error)}` });
    }
    return undefined;
  }
}
