import { issuesOf } from '../core/model/schema.ts';
import type { Static, TSchema } from '../core/model/type.ts';

/** What a role may do to the world. Nothing that it set going outlives a crash of its service. */
export interface Stage {
  /** Milliseconds since the epoch. */
  now(): number;
  /** A number in [0, 1). */
  chance(): number;
  publish(topic: string, payload: object): void;
  /** Calls back after so many milliseconds (longer while the service is slow). Returns the function that calls it off. */
  after(ms: number, callback: () => void): () => void;
}

/** The part that a service plays: one life of it, from start to crash. */
export interface Role {
  /** The payload is the parsed JSON, or the plain text where it is none. */
  hear(topic: string, payload: unknown): void;
  /** What its heartbeat tells besides the uptime. */
  report?(): Record<string, unknown>;
}

export interface Part {
  /** Topic filters of the messages to hear. */
  readonly filters: readonly string[];
  enact(stage: Stage): Role;
}

/** Runs the reaction when the payload fits the schema; what does not fit is passed over, as a robust service would. */
export function when<T extends TSchema>(schema: T, payload: unknown, react: (value: Static<T>) => void): void {
  if (issuesOf(schema, payload).length === 0) react(payload as Static<T>);
}

/** The word of `on`, `"on"` or `{"<key>":"on"}`; undefined when there is none. */
export function wordOf(payload: unknown, key: string): string | undefined {
  if (typeof payload === 'string') return payload;
  const value = typeof payload === 'object' && payload !== null ? Reflect.get(payload, key) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** A number in [from, to) by the stage's chance. */
export function between(stage: Stage, [from, to]: readonly [number, number]): number {
  return from + stage.chance() * (to - from);
}

/** One of the list by the stage's chance. */
export function oneOf<T>(stage: Stage, list: readonly [T, ...T[]]): T {
  return list[Math.floor(stage.chance() * list.length)] ?? list[0];
}
