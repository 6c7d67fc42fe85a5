import { PriorityName } from '../model/priority.ts';
import { type Static, Type } from '../model/type.ts';
import type { Character } from './character.ts';

const count = (description: string) => Type.Integer({ minimum: 0, description });

/** What the body does and what waits for it, in the shape of `GET /clone/orchestrator/status`. */
export const PriorityStatus = Type.Object({
  state: Type.Object(
    {
      mode: Type.Enum(['idle', 'busy', 'streaming', 'stopped'], {
        description: '`streaming`: what runs cannot be interrupted; `stopped`: nothing new begins.',
      }),
      streaming: Type.Boolean({ description: 'Whether what runs cannot be interrupted.' }),
      can_interrupt: Type.Boolean({ description: 'Whether something more urgent would begin at once.' }),
      tasks_queued: count('How many wait.'),
      tasks_completed: count('How many have ended well since the start.'),
    },
    { description: 'Of the whole queue.' },
  ),
  current_task: Type.Union(
    [
      Type.Object({
        id: Type.String({ description: 'Names it on MQTT too.' }),
        name: Type.String({ description: 'For people.' }),
        priority: PriorityName,
        interruptible: Type.Boolean({ description: 'Whether something more urgent may pause it.' }),
        running_for: Type.Number({ minimum: 0, description: 'In seconds.' }),
      }),
      Type.Null(),
    ],
    { description: 'What has the body; null where nothing has.' },
  ),
  queue_size: count('How many wait.'),
  paused_tasks: count('How many are paused.'),
});
export type PriorityStatus = Static<typeof PriorityStatus>;

/** Where no lane is, nothing runs and nothing begins. */
export function priorityStatus({ lane, clock, pausedCount }: Character): PriorityStatus {
  const current = lane?.running[0];
  const queued = lane?.waitingCount ?? 0;
  const streaming = current?.interruptible === false;
  const busy = streaming ? 'streaming' : 'busy';
  return {
    state: {
      mode: lane === undefined || lane.held ? 'stopped' : current === undefined ? 'idle' : busy,
      streaming,
      can_interrupt: !streaming,
      tasks_queued: queued,
      tasks_completed: lane?.completedCount ?? 0,
    },
    current_task:
      current === undefined
        ? null
        : {
            id: current.id,
            name: current.name,
            priority: current.priority,
            interruptible: current.interruptible,
            running_for: Math.max(0, clock.now() - (current.startedAt ?? clock.now())) / 1000,
          },
    queue_size: queued,
    paused_tasks: pausedCount,
  };
}
