import { type Issue, SkullError } from '../model/errors.ts';
import { PriorityWord, priorityOf } from '../model/priority.ts';
import { issuesOf } from '../model/schema.ts';
import type { SongLibrary } from '../model/songs.ts';
import { type Static, type TSchema, Type } from '../model/type.ts';
import type { Claim } from '../scheduler/activity.ts';

const closed = { additionalProperties: false } as const;
export const Text = Type.String({
  minLength: 1,
  maxLength: 10_000,
  pattern: '\\S',
  description: 'Words: not nothing, not only blanks.',
});

/** What a task may publish on: what the services listen to, but for the emergency stop, which has doors of its own. */
const TOPIC = /^(?!motion\/estop$)(motion|voice|vision|asr|ai)\/[^+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]+$/u;
/** Nothing that a service reads is nested deeper. */
const DEEPEST = 32;

/** What each activity needs to know. */
const ARGS = {
  say: Type.Object({ text: Text }, closed),
  sing: Type.Object({ song: Type.String({ minLength: 1, maxLength: 200 }) }, closed),
  greet: Type.Object({}, closed),
  publish: Type.Object({ topic: Type.String({ minLength: 1, maxLength: 200 }), payload: Type.Unknown() }, closed),
} as const satisfies Record<string, TSchema>;

export const ACTIVITIES = Object.keys(ARGS) as (keyof typeof ARGS)[];

/** A task as somebody posts it. */
export const NewTask = Type.Object(
  {
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'For people; the activity where it is absent.' }),
    ),
    priority: Type.Unsafe<PriorityWord>({ ...PriorityWord, default: 'MEDIUM' }),
    activity: Type.Enum(ACTIVITIES, { description: 'What is to be done.' }),
    args: Type.Object(
      {},
      {
        additionalProperties: true,
        default: {},
        description:
          '`say`: `{text}`; `sing`: `{song}`; `greet`: `{}`; `publish`: `{topic, payload}`, on topics of the services.',
      },
    ),
    interruptible: Type.Boolean({ default: true, description: 'Whether a more urgent activity may pause it.' }),
    ttl_ms: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 86_400_000, description: 'It is dropped when it has waited for so long.' }),
    ),
    key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'While a task with this key waits, a further one with the same key is that one.',
      }),
    ),
  },
  { ...closed, title: 'A task' },
);
export type NewTask = Static<typeof NewTask>;

/** A song by its name as what a claim on the body needs to know. Throws `not_allowed` where there is none. */
export async function singArgs(
  songs: SongLibrary,
  song: string,
): Promise<{ song: string; path: string; duration_ms: number | null; title: string }> {
  const found = await songs.find(song);
  if (found === undefined) {
    throw refused(`There is no song ${song}.`, { path: '/song', message: 'is not a song that is here' });
  }
  const { name, path, duration_ms, title } = found;
  return { song: name, path, duration_ms, title };
}

/** A task's key among those of other kinds: a greeting never stands for a song, nor a task for what the skull claims itself. */
const keyOf = (kind: string, key: string): string => `${kind}:${key}`;

/** The key as it was posted. */
export const givenKey = (kind: string, key: string | undefined): string | null =>
  key?.startsWith(keyOf(kind, '')) ? key.slice(keyOf(kind, '').length) : (key ?? null);

/** The claim that a task makes. Throws SkullError `invalid` or `not_allowed`, whose issues name the places. */
export async function claimOf(task: NewTask, songs: SongLibrary): Promise<Claim> {
  const { activity, args, name, priority, interruptible, ttl_ms: ttlMs, key } = task;
  const issues = issuesOf(ARGS[activity], args);
  if (issues.length > 0) {
    const all = issues.map(({ path, message }) => ({ path: `/args${path}`, message }));
    throw new SkullError('invalid', `The arguments of ${activity} are invalid: ${all[0]?.path} ${all[0]?.message}.`, {
      issues: all,
    });
  }
  const claim = {
    kind: activity,
    key: key === undefined ? undefined : keyOf(activity, key),
    name,
    priority: priorityOf(priority),
    interruptible,
    ttlMs,
    cause: 'task',
  };
  if (activity === 'publish') refuseMessage(args as Static<typeof ARGS.publish>);
  if (activity !== 'sing') return { ...claim, args };
  const { title, ...song } = await singArgs(songs, (args as Static<typeof ARGS.sing>).song).catch((error: unknown) => {
    throw inArgs(error);
  });
  return { ...claim, name: name ?? title, args: song };
}

function refuseMessage({ topic, payload }: Static<typeof ARGS.publish>): void {
  if (isDeeper(payload, DEEPEST)) {
    throw new SkullError('invalid', `The payload is nested deeper than ${DEEPEST} levels.`, {
      issues: [{ path: '/args/payload', message: `is nested deeper than ${DEEPEST} levels` }],
    });
  }
  if (TOPIC.test(topic)) return;
  throw refused(
    `A task may not publish on ${topic}: only below motion/, voice/, vision/, asr/ or ai/, not motion/estop.`,
    {
      path: '/args/topic',
      message: 'is not a topic of the services',
    },
  );
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

const refused = (message: string, issue: Issue) => new SkullError('not_allowed', message, { issues: [issue] });

function inArgs(error: unknown): unknown {
  if (!(error instanceof SkullError)) return error;
  const issues = error.issues.map(({ path, message }) => ({ path: `/args${path}`, message }));
  return new SkullError(error.code, error.message, { issues, cause: error });
}
