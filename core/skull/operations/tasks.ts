import { SkullError } from '../../model/errors.ts';
import { PriorityName } from '../../model/priority.ts';
import { timestamp } from '../../model/timestamp.ts';
import { type Static, Type } from '../../model/type.ts';
import type { Activity } from '../../scheduler/activity.ts';
import type { Character } from '../character.ts';
import { PriorityStatus, priorityStatus } from '../priorities.ts';
import { claimOf, givenKey, NewTask } from '../tasks.ts';
import { refuseUnderEstop } from './body.ts';
import { claimBody, laneOf } from './claims.ts';
import { define, type Operation } from './operation.ts';
import { Page, PageQuery, pageOf } from './page.ts';

const Id = Type.String({ maxLength: 200, description: "A task's id." });
const Name = Type.String({ description: 'For people.' });
const idle = {
  state: { mode: 'idle', streaming: false, can_interrupt: true, tasks_queued: 0, tasks_completed: 15 },
  current_task: null,
  queue_size: 0,
  paused_tasks: 0,
};
export const examplePriorities = {
  state: { mode: 'busy', streaming: false, can_interrupt: true, tasks_queued: 2, tasks_completed: 15 },
  current_task: { id: 'k3v9', name: 'thriller', priority: 'MEDIUM', interruptible: true, running_for: 1.2 },
  queue_size: 2,
  paused_tasks: 0,
};

const success = (description: string, example: unknown) => ({
  status: 200,
  description,
  schema: PriorityStatus,
  example,
});

const status = define({
  id: 'getPriorities',
  method: 'GET',
  path: '/clone/orchestrator/status',
  tag: 'Tasks',
  summary: 'What has the body, and what waits for it',
  description: 'The same as on topic `orchestrator/tasks`.',
  role: 'viewer',
  success: success('The body and its queue.', examplePriorities),
  errors: [],
  handle: (_request, character) => ({ body: priorityStatus(character) }),
});

const start = define({
  id: 'startTasks',
  method: 'POST',
  path: '/clone/orchestrator/start',
  tag: 'Tasks',
  summary: 'Let tasks begin',
  description: 'Takes a stop back. Where nothing is stopped nothing happens.',
  role: 'editor',
  success: success('Tasks begin as they come.', idle),
  errors: ['unavailable'],
  handle: (_request, character) => {
    laneOf(character).release();
    return { body: priorityStatus(character) };
  },
});

const stop = define({
  id: 'stopTasks',
  method: 'POST',
  path: '/clone/orchestrator/stop',
  tag: 'Tasks',
  summary: 'Let no task begin',
  description:
    'What runs comes to its end, what waits is kept and goes on waiting; greetings and conversations do not begin either. To stop what runs, use `/estop` or delete the task.',
  role: 'editor',
  success: success('Nothing new begins.', { ...idle, state: { ...idle.state, mode: 'stopped' } }),
  errors: ['unavailable'],
  handle: (_request, character) => {
    laneOf(character).hold();
    return { body: priorityStatus(character) };
  },
});

export const Task = Type.Object({
  id: Id,
  name: Name,
  activity: Type.String({ description: '`say`, `sing`, `greet`, `publish` or `converse`.' }),
  priority: PriorityName,
  interruptible: Type.Boolean({ description: 'Whether something more urgent may pause it.' }),
  state: Type.Enum(['running', 'paused', 'waiting', 'ended'], { description: 'Where it stands.' }),
  key: Type.Union([Type.String(), Type.Null()], {
    description: 'While it waits, a further task with this key is this one.',
  }),
  args: Type.Unknown({ description: 'What it was asked with.' }),
  created_at: timestamp('When it was posted.'),
  running_for: Type.Number({ minimum: 0, description: 'Seconds since it first began.' }),
});
type Task = Static<typeof Task>;

const example: Task = {
  id: 'k3v9',
  name: 'announcement',
  activity: 'say',
  priority: 'URGENT',
  interruptible: true,
  state: 'running',
  key: null,
  args: { text: 'Le spectacle commence dans cinq minutes.' },
  created_at: '2026-01-01T12:00:00.000Z',
  running_for: 0.2,
};

const STATES = { waiting: 'waiting', paused: 'paused', ended: 'ended' } as const;

function taskOf(activity: Activity, { clock }: Character): Task {
  const { id, name, kind, priority, interruptible, phase, key, args, claimedAt, startedAt } = activity;
  return {
    id,
    name,
    activity: kind,
    priority,
    interruptible,
    state: phase in STATES ? STATES[phase as keyof typeof STATES] : 'running',
    key: givenKey(kind, key),
    args: args ?? {},
    created_at: new Date(claimedAt).toISOString(),
    running_for: startedAt === undefined ? 0 : Math.max(0, clock.now() - startedAt) / 1000,
  };
}

/** Room for a message with all that it carries. */
const TASK_BYTES = 256 * 1024;

const list = define({
  id: 'listTasks',
  method: 'GET',
  path: '/clone/orchestrator/tasks',
  tag: 'Tasks',
  summary: 'All tasks',
  description: 'Everything that claims the body, whoever asked for it: what runs, what is paused, then what waits.',
  role: 'viewer',
  query: PageQuery,
  success: {
    status: 200,
    description: 'A page of tasks.',
    schema: Page(Task),
    example: { items: [example], next_cursor: null },
  },
  errors: ['unavailable'],
  handle: ({ query }, character) => {
    const lane = laneOf(character);
    const all = [...lane.running, ...lane.paused(), ...lane.waiting()];
    const page = pageOf(all, query, ({ id }) => id);
    return { body: { ...page, items: page.items.map((activity) => taskOf(activity, character)) } };
  },
});

const create = define({
  id: 'createTask',
  method: 'POST',
  path: '/clone/orchestrator/tasks',
  tag: 'Tasks',
  summary: 'Post a task',
  description:
    'A task claims the body. It begins at once where the body is free, or has something less urgent to do that can be paused; otherwise it waits for its turn. Also on topic `orchestrator/tasks/add`.',
  role: 'editor',
  body: {
    schema: NewTask,
    example: { name: 'announcement', priority: 'URGENT', activity: 'say', args: { text: 'Silence !' } },
    maxBytes: TASK_BYTES,
  },
  success: { status: 201, description: 'The task.', schema: Task, example },
  errors: ['estop', 'not_allowed', 'conflict', 'too_many_requests', 'unavailable'],
  handle: async ({ body }, character) => {
    const what = 'A new task';
    refuseUnderEstop(character, what);
    const claim = await claimOf(body, character.ports.songs);
    return { body: taskOf(claimBody(character, what, claim), character) };
  },
});

const remove = define({
  id: 'deleteTask',
  method: 'DELETE',
  path: '/clone/orchestrator/tasks/{id}',
  tag: 'Tasks',
  summary: 'Cancel a task',
  description: 'Takes it from the queue, or ends it where it runs or is paused.',
  role: 'editor',
  params: Type.Object({ id: Id }),
  success: {
    status: 200,
    description: 'The task, which has ended.',
    schema: Task,
    example: { ...example, state: 'ended' },
  },
  errors: ['not_found', 'unavailable'],
  handle: ({ params: { id } }, character) => {
    const lane = laneOf(character);
    const activity = lane.find(id);
    if (activity === undefined) throw new SkullError('not_found', `There is no task ${id}: it may have ended.`);
    lane.cancel({ id });
    return { body: taskOf(activity, character) };
  },
});

export const TASK_OPERATIONS: readonly Operation[] = [status, start, stop, list, create, remove];
