import { issuesOf } from '../../core/model/schema.ts';
import { type Static, Type } from '../../core/model/type.ts';

/** The length of a frame of an envelope. */
export const FRAME_MS = 40;

const Text = Type.Union([Type.String(), Type.Null()]);

/** What a child process says of a file that it read. */
const Reading = Type.Object({
  /** Why it is no whole MP3; null where it is one. */
  fault: Text,
  /** Null where it has no sound that could be measured. */
  durationMs: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  title: Text,
  artist: Text,
});

export type Reading = Static<typeof Reading>;

export const isReading = (value: unknown): value is Reading => issuesOf(Reading, value).length === 0;
