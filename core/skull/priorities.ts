import type { Priority } from '../model/priority.ts';
import type { Character } from './character.ts';

/** What the body does and what waits for it, in the shape of `GET /clone/orchestrator/status`. */
export interface PriorityStatus {
  state: {
    /** `stopped`: nothing new begins; `streaming`: what runs cannot be interrupted. */
    mode: 'idle' | 'busy' | 'streaming' | 'stopped';
    streaming: boolean;
    can_interrupt: boolean;
    tasks_queued: number;
    tasks_completed: number;
  };
  current_task: {
    id: string;
    name: string;
    priority: Priority;
    interruptible: boolean;
    /** In seconds. */
    running_for: number;
  } | null;
  queue_size: number;
  paused_tasks: number;
}

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
