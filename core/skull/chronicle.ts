import type { NewEvent } from '../model/event.ts';
import { PRIORITIES, type Priority } from '../model/priority.ts';
import type { Statechart, TransitionRecord } from '../statechart/statechart.ts';

/** What the skull does now, as the statechart's context keeps it under `activity`. */
export interface RunningActivity {
  id: string;
  kind: string;
  priority: Priority;
  /** Milliseconds since the epoch. */
  since: number;
}

type Context = Statechart['context'];

const ESTOP = 'motion/estop';

/** The activity in a statechart's context; null where there is none. */
export function activityOf({ activity }: Context): RunningActivity | null {
  return isActivity(activity) ? activity : null;
}

function isActivity(value: unknown): value is RunningActivity {
  if (typeof value !== 'object' || value === null) return false;
  const { id, kind, priority, since }: Partial<Record<keyof RunningActivity, unknown>> = value;
  return (
    typeof id === 'string' &&
    typeof kind === 'string' &&
    typeof priority === 'string' &&
    Object.hasOwn(PRIORITIES, priority) &&
    typeof since === 'number'
  );
}

/**
 * Tells what a body goes through, as events: each change of its state, mode, e-stop and pause, each press of the e-stop,
 * and each turn of its activity. What leaves all of these as they were (a stimulus, a pose) is none. Returns the function
 * that ends it.
 */
export function chronicle(body: Statechart, append: (event: NewEvent) => void): () => void {
  const subject = body.definition.id;
  const { context } = body;
  let { mode, estop, paused } = context;
  let activity = activityOf(context);

  /** What is to be known of the transition beside where it led; undefined where there is nothing to tell. */
  function news({ changed, event }: TransitionRecord, context: Context): object | undefined {
    const boots = event === 'start' && changed;
    const stops = context.estop !== estop || (context.estop === true && (boots || event === ESTOP));
    const pauses = context.paused !== paused;
    const moves = context.mode !== mode;
    if (!changed && !stops && !pauses && !moves) return undefined;
    return {
      ...(moves && { mode_before: mode }),
      ...(stops && { estop: context.estop }),
      ...(pauses && { paused: context.paused }),
    };
  }

  function tellPhase({ kind, id, priority }: RunningActivity, phase: string, cause: string): void {
    append({ kind: 'activity', subject: kind, cause, data: { id, priority, phase } });
  }

  return body.onTransition((record) => {
    const { context } = body;
    const { from, to } = record;
    const cause = record.event === 'start' ? 'boot' : record.event;
    const told = news(record, context);
    if (told !== undefined) {
      append({ kind: 'transition', subject, cause, data: { from, to, mode: context.mode, ...told } });
    }
    const before = activity;
    const pausedBefore = paused;
    ({ mode, estop, paused } = context);
    activity = activityOf(context);
    if (before !== null && before.id === activity?.id) {
      if (paused !== pausedBefore) tellPhase(before, paused === true ? 'paused' : 'resumed', cause);
      return;
    }
    if (before !== null) tellPhase(before, 'ended', cause);
    if (activity !== null) tellPhase(activity, 'started', cause);
  });
}
