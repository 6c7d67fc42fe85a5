import type { NewEvent } from '../../model/event.ts';
import type { Clock, DocumentFolder, Log, Random } from '../../model/ports.ts';
import type { SongLibrary } from '../../model/songs.ts';
import { type Static, Type } from '../../model/type.ts';
import { OUTCOMES } from '../../scheduler/activity.ts';
import type { Config } from '../config/sections.ts';
import type { Step } from './status.ts';

/** Where the skull's statechart stands, as far as FullAuto cares. */
export const Situation = Type.Object({ mode: Type.String(), estop: Type.Boolean() });
export type Situation = Static<typeof Situation>;

/** One round: a song, then whatever the configuration says follows it. Plain data, so that a successor can go on with it. */
export interface Cycle {
  /** Also the id of its song's claim. */
  id: string;
  step: Step;
  /** When the step began, in milliseconds since the epoch. */
  since: number;
  /** How long the song may take from its claim to its end; undefined until it is claimed. */
  songMs: number | undefined;
}

/** A song's claim on the body, as skull-priority takes it. */
export interface SongClaim {
  id: string;
  kind: 'sing';
  name: string;
  priority: 'LOW';
  args: { song: string; path: string; duration_ms: number | null };
  key: 'fullauto';
  ttl_ms: number;
  cause: 'fullauto';
}

/** An activity that has ended, as skull-priority tells of it; when it started in milliseconds since the epoch. */
export const Ended = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  outcome: Type.Enum([...OUTCOMES]),
  started_at: Type.Union([Type.Number(), Type.Null()]),
});
export type Ended = Static<typeof Ended>;

export interface FullAutoOptions {
  clock: Clock;
  random: Random;
  log: Log;
  config: () => Config['fullauto'];
  songs: Pick<SongLibrary, 'list' | 'find'>;
  /** Holds the document `fullauto`. */
  folder: DocumentFolder;
  /** Asked before each decision, where somebody knows better than the last message about the mode. */
  situation?: () => Situation | undefined;
  /** The cycle of a predecessor, to go on with. */
  cycle?: Cycle | undefined;
  claim: (claim: SongClaim) => void;
  /** Withdraws a claim that waits; a song that plays is left alone. */
  cancel: (id: string) => void;
  /** What the skull may do now beside singing; empty: nothing. */
  step: (step: '' | 'accueil' | 'ia') => void;
  /** Told of each change of the status, but of the songs to come. */
  tell: (event: NewEvent) => void;
}
