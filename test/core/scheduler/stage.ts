import type { Activity, Claim, Performer } from '../../../core/scheduler/activity.ts';
import { Lane, type LaneOptions } from '../../../core/scheduler/lane.ts';
import { SimulatedClock } from '../../support/clock.ts';

/** A lane with a performer that only notes what it is asked to do, and all that the lane tells. */
export function stage(options: Partial<LaneOptions> = {}) {
  const clock = new SimulatedClock(0);
  /** `start a`, `pause a`, …; a start or resume in another's place is `start b for a`. */
  const calls: string[] = [];
  const events: string[] = [];
  const errors: string[] = [];
  const entry = (what: string) => (activity: Activity) => {
    calls.push(`${what} ${activity.id}${activity.preempts === undefined ? '' : ` for ${activity.preempts}`}`);
  };
  const performer: Performer = {
    start: entry('start'),
    resume: entry('resume'),
    pause: ({ id }) => void calls.push(`pause ${id}`),
    cancel: ({ id }) => void calls.push(`cancel ${id}`),
  };
  const lane = new Lane({
    clock,
    random: { id: () => 'made' },
    performer,
    onError: (error, { id }) => errors.push(`${id}: ${error instanceof Error ? error.message : error}`),
    ...options,
  });
  lane.onEvent(({ type, activity }) => {
    events.push(`${type} ${activity.id}${type === 'ended' ? ` ${activity.outcome}` : ''}`);
  });
  const claim = (id: string, priority: Claim['priority'], rest: Partial<Claim> = {}, own: Partial<Performer> = {}) =>
    lane.claim({ id, kind: 'show', priority, ...rest }, { ...performer, ...own });
  /** What has been called since the last time. */
  const since = () => calls.splice(0);
  return { clock, lane, performer, calls, events, errors, claim, since };
}

/** A promise, and who settles it. */
export function later() {
  let resolve = () => {};
  let reject = (_error: unknown) => {};
  const promise = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve: () => resolve(), reject: (error: unknown) => reject(error) };
}

/** Lets what is settled be heard of. */
export const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns++) await null;
};

export const idsOf = (activities: readonly Activity[]): string[] => activities.map(({ id }) => id);
