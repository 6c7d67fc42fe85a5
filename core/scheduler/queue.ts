import { leaveChain } from './chain.ts';
import type { LaneActivity, Urgency } from './lane-activity.ts';
import { Levels, URGENCIES } from './levels.ts';

/** The activities that wait. Those that may interrupt stand apart, so that the next of them is found without a search. */
export class Queue {
  readonly #interrupting = new Levels();
  readonly #patient = new Levels();
  readonly #keys = new Map<string, LaneActivity>();
  #order = 0;

  get size(): number {
    return this.#interrupting.size + this.#patient.size;
  }

  /** As the last among its equals; one that waits already changes its place. */
  add(activity: LaneActivity): void {
    activity.order = ++this.#order;
    const levels = activity.policy === 'interrupt' ? this.#interrupting : this.#patient;
    levels.at(activity.urgency).push(activity);
    if (activity.key !== undefined) this.#keys.set(activity.key, activity);
  }

  remove(activity: LaneActivity): void {
    leaveChain(activity);
    if (this.#keys.size > 0 && activity.key !== undefined) this.#keys.delete(activity.key);
  }

  withKey(key: string): LaneActivity | undefined {
    return this.#keys.get(key);
  }

  firstAt(urgency: Urgency): LaneActivity | undefined {
    const interrupting = this.#interrupting.at(urgency).first;
    const patient = this.#patient.at(urgency).first;
    if (interrupting === undefined || patient === undefined) return interrupting ?? patient;
    return interrupting.order < patient.order ? interrupting : patient;
  }

  firstInterruptingAt(urgency: Urgency): LaneActivity | undefined {
    return this.#interrupting.at(urgency).first;
  }

  /** How many wait to interrupt what is less urgent than they are. */
  interruptingAbove(urgency: Urgency): number {
    return this.#interrupting.sizeAbove(urgency);
  }

  /** In the order in which they would start. */
  list(): LaneActivity[] {
    return URGENCIES.flatMap((urgency) =>
      [...this.#interrupting.at(urgency), ...this.#patient.at(urgency)].sort((a, b) => a.order - b.order),
    );
  }
}
