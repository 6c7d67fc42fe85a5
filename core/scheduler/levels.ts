import { Chain } from './chain.ts';
import type { LaneActivity, Urgency } from './lane-activity.ts';

export const URGENCIES: readonly Urgency[] = [1, 2, 3, 4, 5];
const LEAST_FIRST = URGENCIES.toReversed();

/** One list of activities for each priority. */
export class Levels {
  readonly #chains: Record<Urgency, Chain> = {
    1: new Chain(),
    2: new Chain(),
    3: new Chain(),
    4: new Chain(),
    5: new Chain(),
  };

  at(urgency: Urgency): Chain {
    return this.#chains[urgency];
  }

  get size(): number {
    return this.sizeAbove(6);
  }

  /** How many are more urgent than that. */
  sizeAbove(limit: number): number {
    let size = 0;
    for (const urgency of URGENCIES) if (urgency < limit) size += this.#chains[urgency].size;
    return size;
  }

  /** The last of the least urgent. */
  last(): LaneActivity | undefined {
    for (const urgency of LEAST_FIRST) {
      const { last } = this.#chains[urgency];
      if (last !== undefined) return last;
    }
    return undefined;
  }

  /** The most urgent first. */
  *[Symbol.iterator](): Generator<LaneActivity> {
    for (const urgency of URGENCIES) yield* this.#chains[urgency];
  }
}
