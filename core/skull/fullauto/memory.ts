import { messageOf } from '../../model/errors.ts';
import type { Clock, DocumentFolder, Log } from '../../model/ports.ts';
import { parse } from '../../model/schema.ts';
import { type Static, Type } from '../../model/type.ts';

const Kept = Type.Object({
  /** When the last song of FullAuto started, in milliseconds since the epoch. */
  last_start: Type.Union([Type.Number(), Type.Null()]),
  bag: Type.Array(Type.String()),
  played: Type.Array(Type.String()),
  last_song: Type.Union([Type.String(), Type.Null()]),
});
export type Kept = Static<typeof Kept>;

const NOTHING: Kept = { last_start: null, bag: [], played: [], last_song: null };
const NAME = 'fullauto';

/** What FullAuto keeps over a restart, in a document of its own. */
export class Memory {
  readonly #folder: DocumentFolder;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(folder: DocumentFolder, clock: Clock, log: Log) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
  }

  /** What was kept. A document that is not as it should be is set aside, and nothing was. */
  load(): Kept {
    try {
      return parse(Kept, this.#folder.load(NAME) ?? { ...NOTHING }, { what: `${NAME}.json` });
    } catch (error) {
      this.#log.warn({ kind: 'activity', msg: `FullAuto begins anew: ${messageOf(error)}` });
      this.#setAside();
      return NOTHING;
    }
  }

  /** Nobody waits for the disk. */
  save(kept: Kept): void {
    this.#folder.save(NAME, kept).catch((error: unknown) => {
      const msg = `${NAME}.json could not be written (${messageOf(error)}): a restart would not know the last song.`;
      this.#log.error({ kind: 'activity', msg });
    });
  }

  /** Resolves once nothing waits to be written. */
  flush(): Promise<void> {
    return this.#folder.flush();
  }

  #setAside(): void {
    try {
      this.#folder.setAside(NAME, `broken-${new Date(this.#clock.now()).toISOString().replaceAll(':', '-')}`);
    } catch (error) {
      this.#log.error({ kind: 'activity', msg: `${NAME}.json cannot be set aside: ${messageOf(error)}` });
    }
  }
}
