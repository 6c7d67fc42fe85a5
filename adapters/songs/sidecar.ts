import { readFile } from 'node:fs/promises';
import { issuesOf } from '../../core/model/schema.ts';
import { type Static, Type } from '../../core/model/type.ts';
import { writeWhole } from '../files/write-whole.ts';

const VERSION = 1;

const Sidecar = Type.Object({
  title: Type.Union([Type.String(), Type.Null()]),
  artist: Type.Union([Type.String(), Type.Null()]),
  /** Null: the file cannot be read. */
  duration_ms: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  size: Type.Integer({ minimum: 0 }),
  mtime_ms: Type.Number(),
  version: Type.Literal(VERSION),
});

/** What was found out about a file. */
export type Facts = Pick<Static<typeof Sidecar>, 'title' | 'artist' | 'duration_ms'>;

/** By which a file is known to be the same. */
export interface Stamp {
  size: number;
  mtimeMs: number;
}

export const isSame = (a: Stamp, b: Stamp): boolean => a.size === b.size && a.mtimeMs === b.mtimeMs;

const isSidecar = (value: unknown): value is Static<typeof Sidecar> => issuesOf(Sidecar, value).length === 0;

/** What is known of the file with this stamp; undefined where there is no sidecar that speaks of it. */
export async function readFacts(file: string, stamp: Stamp): Promise<Facts | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!isSidecar(value) || !isSame({ size: value.size, mtimeMs: value.mtime_ms }, stamp)) return undefined;
    const { title, artist, duration_ms } = value;
    return { title, artist, duration_ms };
  } catch {
    return undefined;
  }
}

export function writeFacts(file: string, facts: Facts, { size, mtimeMs }: Stamp): Promise<void> {
  const sidecar: Static<typeof Sidecar> = { ...facts, size, mtime_ms: mtimeMs, version: VERSION };
  return writeWhole(file, `${JSON.stringify(sidecar, null, 2)}\n`);
}
