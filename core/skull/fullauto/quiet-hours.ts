import { tzOffset } from '@date-fns/tz/tzOffset';
import type { QuietHours } from '../config/sections.ts';

const A_MINUTE_MS = 60_000;
const A_DAY_MS = 24 * 60 * A_MINUTE_MS;

/**
 * The first moment from `time` on that is outside of the quiet hours; times in milliseconds since the epoch. Quiet hours
 * follow the wall clock: an end that a clock change skips is the moment of the change. In the hour that a clock change
 * repeats they begin at the first and end at the second time the clock shows it.
 */
export function afterQuiet(quiet: QuietHours | null, time: number): number {
  if (quiet === null || quiet.from === quiet.to) return time;
  let at = time;
  // Where a clock change swallows all that lies between two nights, one follows upon the other.
  for (let end = endOfQuiet(quiet, at); end !== undefined; end = endOfQuiet(quiet, at)) at = end;
  return at;
}

/** When the quiet hours end in which this moment lies; undefined where it lies in none. */
function endOfQuiet({ from, to, timezone }: QuietHours, time: number): number | undefined {
  const begin = timeOfDay(from);
  const end = timeOfDay(to) + (to > from ? 0 : A_DAY_MS);
  const today = Math.floor((time + offsetAt(time, timezone)) / A_DAY_MS) * A_DAY_MS;
  for (const day of [today - A_DAY_MS, today]) {
    const { last } = momentsOf(day + end, timezone);
    if (time < last && momentsOf(day + begin, timezone).first <= time) return last;
  }
  return undefined;
}

function timeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return (hours * 60 + minutes) * A_MINUTE_MS;
}

/** How far ahead of UTC the zone's wall clock is, in milliseconds. */
const offsetAt = (time: number, timezone: string) => Math.round(tzOffset(timezone, new Date(time)) * A_MINUTE_MS);

/**
 * When a wall clock shows this, written as if it were UTC. The library's own dates are no help: in the repeated hour they
 * choose by the host's zone, and they move a skipped time on by the length of the gap.
 */
function momentsOf(wall: number, timezone: string): { first: number; last: number } {
  const before = offsetAt(wall - A_DAY_MS, timezone);
  const after = offsetAt(wall + A_DAY_MS, timezone);
  if (before === after) return { first: wall - before, last: wall - before };
  const early = wall - Math.max(before, after);
  const late = wall - Math.min(before, after);
  const shows = (time: number) => time + offsetAt(time, timezone) === wall;
  if (!shows(early) && !shows(late)) {
    const change = firstWith(after, early, late, timezone);
    return { first: change, last: change };
  }
  return { first: shows(early) ? early : late, last: shows(late) ? late : early };
}

/** When the offset begins, to the minute: not yet at `from`, but at `to`. */
function firstWith(offset: number, from: number, to: number, timezone: string): number {
  let without = from;
  let having = to;
  while (having - without > A_MINUTE_MS) {
    const middle = without + Math.floor((having - without) / A_MINUTE_MS / 2) * A_MINUTE_MS;
    if (offsetAt(middle, timezone) === offset) having = middle;
    else without = middle;
  }
  return having;
}
