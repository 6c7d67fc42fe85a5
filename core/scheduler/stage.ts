import { Chain } from './chain.ts';
import type { LaneActivity, Urgency } from './lane-activity.ts';
import { Levels, URGENCIES } from './levels.ts';
import { Queue } from './queue.ts';

/** Where each living activity stands, and who is next. */
export class Stage {
  readonly queue = new Queue();
  readonly paused = new Levels();
  /** Those that hold a place: may be paused, are being paused, all others. */
  readonly interruptible = new Levels();
  readonly pausing = new Chain();
  readonly steadfast = new Chain();

  /** How many hold a place. */
  get holding(): number {
    return this.interruptible.size + this.pausing.size + this.steadfast.size;
  }

  get size(): number {
    return this.holding + this.paused.size + this.queue.size;
  }

  holders(): LaneActivity[] {
    return [...this.interruptible, ...this.pausing, ...this.steadfast];
  }

  /** Those that hold a place first: they are in a hurry when all is cancelled. */
  living(): LaneActivity[] {
    return [...this.holders(), ...this.paused, ...this.queue.list()];
  }

  /** Gives it a place, there or in the list for its new priority. */
  place(activity: LaneActivity): void {
    (activity.interruptible ? this.interruptible.at(activity.urgency) : this.steadfast).push(activity);
  }

  /** Who gets a free place. */
  next(): LaneActivity | undefined {
    for (const urgency of URGENCIES) {
      const next = this.paused.at(urgency).first ?? this.queue.firstAt(urgency);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  /** Who is to be paused because more wait for its place than places are being made. */
  victim(): LaneActivity | undefined {
    const victim = this.interruptible.last();
    if (victim === undefined) return undefined;
    const contenders = this.queue.interruptingAbove(victim.urgency) + this.paused.sizeAbove(victim.urgency);
    return contenders > this.pausing.size ? victim : undefined;
  }

  /** Who gets the place of an activity of that priority that was paused. */
  contender(victim: Urgency): LaneActivity | undefined {
    for (const urgency of URGENCIES) {
      if (urgency >= victim) return undefined;
      const contender = this.paused.at(urgency).first ?? this.queue.firstInterruptingAt(urgency);
      if (contender !== undefined) return contender;
    }
    return undefined;
  }
}
