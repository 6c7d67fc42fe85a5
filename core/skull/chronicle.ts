import type { NewEvent } from '../model/event.ts';
import { PRIORITIES, type Priority } from '../model/priority.ts';
import type { LaneEvent } from '../scheduler/activity.ts';
import type { Lane } from '../scheduler/lane.ts';
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
 * Tells what a body goes through, as events: each change of its state, mode, e-stop and pause, each press of the e-stop.
 * What leaves all of these as they were (a stimulus, a pose) is none. Returns the function that ends it.
 */
export function chronicle(body: Statechart, append: (event: NewEvent) => void): () => void {
  const subject = body.definition.id;
  const { context } = body;
  let { mode, estop, paused } = context;
  let held = activityOf(context)?.id;

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

  return body.onTransition((record) => {
    const { context } = body;
    const { from, to } = record;
    const cause = record.event === 'start' ? 'boot' : record.event;
    const told = news(record, context);
    if (told !== undefined) {
      append({ kind: 'transition', subject, cause, data: { from, to, mode: context.mode, ...told } });
    }
    if (context.paused !== paused) tellPause(context, cause);
    ({ mode, estop, paused } = context);
    held = activityOf(context)?.id;
  });

  /** The lane tells of every other turn of an activity; this one keeps its place. */
  function tellPause(context: Context, cause: string): void {
    const activity = activityOf(context);
    if (activity === null || activity.id !== held) return;
    const { id, kind, priority } = activity;
    append({
      kind: 'activity',
      subject: kind,
      cause,
      data: { id, priority, phase: context.paused ? 'paused' : 'resumed' },
    });
  }
}

/** Tells of each turn of the activities on a lane, as events. Returns the function that ends it. */
export function chronicleLane(lane: Lane, append: (event: NewEvent) => void): () => void {
  const tell = ({ type, activity }: LaneEvent): void => {
    const { id, kind, name, priority, cause, outcome } = activity;
    append({
      kind: 'activity',
      subject: kind,
      cause,
      data: { id, name, priority, phase: type, ...(outcome !== undefined && { outcome }) },
    });
  };
  return lane.onEvent((event) => {
    // Most claims find their place in the same tick: those have not waited.
    if (event.type !== 'waiting') tell(event);
    else
      queueMicrotask(() => {
        if (event.activity.phase === 'waiting') tell(event);
      });
  });
}
