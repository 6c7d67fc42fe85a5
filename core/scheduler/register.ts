import type { Random } from '../model/ports.ts';
import type { Activity } from './activity.ts';
import { LaneActivity } from './lane-activity.ts';

/**
 * The living activities by id. An id that nobody gave is made when it is first asked for: what nobody can name, nobody can
 * look up, and making and keeping a text for each claim would cost more than queueing it.
 */
export class Register {
  readonly #random: Pick<Random, 'id'>;
  readonly #living = new Map<string, LaneActivity>();
  #prefix: string | undefined;
  #count = 0;

  constructor(random: Pick<Random, 'id'>) {
    this.#random = random;
  }

  find(id: string): LaneActivity | undefined {
    return this.#living.get(id);
  }

  /** The activity itself, where it is one of this lane. */
  own(activity: Activity): LaneActivity | undefined {
    return activity instanceof LaneActivity && activity.register === this ? activity : undefined;
  }

  add(id: string, activity: LaneActivity): void {
    this.#living.set(id, activity);
  }

  nameFor(activity: LaneActivity): string {
    this.#prefix ??= this.#random.id();
    let id: string;
    do id = `${this.#prefix}-${++this.#count}`;
    while (this.#living.has(id));
    activity.knownAs = id;
    if (activity.phase !== 'ended') this.#living.set(id, activity);
    return id;
  }

  remove(activity: LaneActivity): void {
    if (activity.knownAs !== undefined) this.#living.delete(activity.knownAs);
  }
}
