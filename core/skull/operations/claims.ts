import { SkullError } from '../../model/errors.ts';
import { type Static, Type } from '../../model/type.ts';
import type { Activity, Claim } from '../../scheduler/activity.ts';
import type { Lane } from '../../scheduler/lane.ts';
import type { Character } from '../character.ts';
import { activityOf } from '../chronicle.ts';
import { bodyOf, refuseUnderEstop } from './body.ts';
import { Activity as RunningActivity } from './service.ts';

/** An activity as it is told to whoever asked for it. */
export const ClaimedActivity = Type.Object({
  ...RunningActivity.properties,
  phase: Type.Enum(['waiting', 'running', 'paused', 'ended'], {
    description: '`waiting` while the body has something as important to do.',
  }),
});
export type ClaimedActivity = Static<typeof ClaimedActivity>;

/** So long may a statechart take to begin what the lane has started: in a host that hands messages on later, a few turns. */
const BEGIN_MS = 1000;

/** Who decides over the body. Throws `unavailable` where no flow lends one. */
export function laneOf(character: Character): Lane {
  if (character.lane === undefined) {
    throw new SkullError('unavailable', 'Nothing decides over the body: deploy a flow with a skull-priority node.');
  }
  return character.lane;
}

/** Claims the body. Throws `estop`, `busy`, `unavailable`, or `conflict` where the lane takes no claims. */
export function claimBody(character: Character, what: string, claim: Claim): Activity {
  bodyOf(character);
  refuseUnderEstop(character, what);
  return laneOf(character).claim(claim);
}

export function told(character: Character, { id, kind, priority, phase, startedAt }: Activity): ClaimedActivity {
  return {
    id,
    kind,
    priority,
    running_ms: startedAt === undefined ? 0 : Math.max(0, character.clock.now() - startedAt),
    phase: phase === 'waiting' || phase === 'paused' || phase === 'ended' ? phase : 'running',
  };
}

/** Resolves once the statechart has begun what the lane has started, so that the state can be told. */
export function begun(character: Character, activity: Activity): Promise<void> | undefined {
  const body = bodyOf(character);
  const settled = () => activity.phase !== 'running' || activityOf(body.context)?.id === activity.id;
  if (settled()) return undefined;
  return new Promise((resolve) => {
    const end = () => {
      off();
      character.clock.clearTimeout(timer);
      resolve();
    };
    const off = body.onTransition(() => {
      if (settled()) end();
    });
    const timer = character.clock.setTimeout(end, BEGIN_MS);
  });
}
