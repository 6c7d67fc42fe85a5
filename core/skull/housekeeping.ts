import { messageOf } from '../model/errors.ts';
import type { Log } from '../model/ports.ts';
import type { SongLibrary } from '../model/songs.ts';
import type { Activity, Performer } from '../scheduler/activity.ts';
import type { Lane } from '../scheduler/lane.ts';

export interface HousekeepingOptions {
  songs: Pick<SongLibrary, 'list' | 'find' | 'envelope'>;
  lane: Lane;
  log: Log;
}

/**
 * Finds out what is not known yet of songs that somebody put into the folder, as an activity that anything else may
 * interrupt. Where there is nothing to find out nothing is claimed.
 */
export async function readNewSongs({ songs, lane, log }: HousekeepingOptions): Promise<void> {
  const unread = (await songs.list()).filter(({ duration_ms }) => duration_ms === null).map(({ name }) => name);
  if (unread.length === 0 || lane.locked || lane.draining) return;
  const claim = { kind: 'housekeeping', name: 'read new songs', priority: 'BACKGROUND', cause: 'boot' } as const;
  lane.claim(claim, new Reading(unread, songs, log));
}

/** One song after another; a pause holds before the next one. */
class Reading implements Performer {
  readonly #names: readonly string[];
  readonly #songs: HousekeepingOptions['songs'];
  readonly #log: Log;
  #go: Promise<void> = Promise.resolve();
  #resume: () => void = () => undefined;

  constructor(names: readonly string[], songs: HousekeepingOptions['songs'], log: Log) {
    this.#names = names;
    this.#songs = songs;
    this.#log = log;
  }

  async start({ signal }: Activity): Promise<void> {
    for (const name of this.#names) {
      await this.#go;
      if (signal.aborted) return;
      try {
        await this.#songs.find(name);
        await this.#songs.envelope(name);
      } catch (error) {
        this.#log.warn({ kind: 'activity', msg: `${name} could not be read: ${messageOf(error)}`, subject: name });
      }
    }
  }

  pause(): void {
    this.#go = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume();
  }

  cancel(): void {
    this.#resume();
  }
}
