import type { LaneActivity } from './lane-activity.ts';

/** A list of activities, each of which stands in one list at most: to enter one is to leave the other. All of it is O(1). */
export class Chain {
  first: LaneActivity | undefined = undefined;
  last: LaneActivity | undefined = undefined;
  size = 0;

  /** Puts it behind all. */
  push(activity: LaneActivity): void {
    leaveChain(activity);
    activity.chain = this;
    activity.before = this.last;
    if (this.last === undefined) this.first = activity;
    else this.last.behind = activity;
    this.last = activity;
    this.size++;
  }

  /** Puts it before all. */
  unshift(activity: LaneActivity): void {
    leaveChain(activity);
    activity.chain = this;
    activity.behind = this.first;
    if (this.first === undefined) this.last = activity;
    else this.first.before = activity;
    this.first = activity;
    this.size++;
  }

  *[Symbol.iterator](): Generator<LaneActivity> {
    for (let activity = this.first; activity !== undefined; activity = activity.behind) yield activity;
  }
}

export function leaveChain(activity: LaneActivity): void {
  const { chain, before, behind } = activity;
  if (chain === undefined) return;
  if (before === undefined) chain.first = behind;
  else before.behind = behind;
  if (behind === undefined) chain.last = before;
  else behind.before = before;
  chain.size--;
  activity.chain = undefined;
  activity.before = undefined;
  activity.behind = undefined;
}
