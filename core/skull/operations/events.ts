import { SkullError } from '../../model/errors.ts';
import { EVENT_KINDS, type EventKind } from '../../model/event.ts';
import type { EventQuery } from '../../model/event-log.ts';
import { type Static, Type } from '../../model/type.ts';
import { Event } from '../channels/event.ts';
import { define, type Operation } from './operation.ts';
import { Page, PageQuery } from './page.ts';

const Word = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));
const Moment = (description: string) =>
  Type.Optional(
    Type.String({
      format: 'date-time',
      maxLength: 40,
      description: `${description} ISO 8601 with a zone; a \`+\` is written \`%2B\` in a query.`,
      examples: ['2026-01-01T12:00:00Z'],
    }),
  );

const Query = Type.Object(
  {
    ...PageQuery.properties,
    kind: Type.Optional(Type.Enum([...EVENT_KINDS], { description: 'Only events of this kind.' })),
    subject: Word('Only events about this section, service, kind of activity, statechart or run.'),
    cause: Word('Only events that this made happen; of a REST command it is the id of the request.'),
    from: Moment('Only events at or after this moment.'),
    to: Moment('Only events before this moment.'),
    run_id: Word(
      'Only events of this run: the same as `kind=run` with it as `subject`, and not to be had with others.',
    ),
  },
  { additionalProperties: false },
);
type Query = Static<typeof Query>;

const refuse = (place: keyof Query, message: string): never => {
  throw new SkullError('invalid', `The query is invalid: /${place} ${message}.`, {
    issues: [{ path: `/${place}`, message }],
  });
};

function momentOf(query: Query, place: 'from' | 'to'): number | undefined {
  const text = query[place];
  if (text === undefined) return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? refuse(place, 'is no moment, as 2026-01-01T12:00:00Z') : moment;
}

/** The number of the event that an earlier answer ended with; it need not be there any more. */
function beforeOf({ cursor }: Query): number | undefined {
  if (cursor === undefined) return undefined;
  const seq = /^[1-9]\d*$/.test(cursor) ? Number(cursor) : Number.NaN;
  return Number.isSafeInteger(seq) ? seq : refuse('cursor', 'is not of this list');
}

interface About {
  kind?: EventKind | undefined;
  subject?: string | undefined;
  run_id?: string | undefined;
}

/** What the events are to be about, in the event log's words. Throws `invalid`. */
export function aboutOf({ kind, subject, run_id }: About): Pick<EventQuery, 'kind' | 'subject'> {
  if (run_id === undefined) return { kind, subject };
  if (kind !== undefined && kind !== 'run') refuse('kind', 'is not that of a run, which run_id asks for');
  if (subject !== undefined && subject !== run_id) refuse('subject', 'is not the run that run_id asks for');
  return { kind: 'run', subject: run_id };
}

const list = define({
  id: 'listEvents',
  method: 'GET',
  path: '/events',
  tag: 'Events',
  summary: 'What happened',
  description:
    'The events that fit all that is asked for, the newest first. The oldest ones are removed as the log reaches its size (`EVENT_LOG_MAX_MB`).',
  role: 'viewer',
  query: Query,
  success: {
    status: 200,
    description: 'A page of events.',
    schema: Page(Event),
    example: {
      items: [
        {
          seq: 42,
          time: '2026-01-01T12:00:00.000Z',
          kind: 'transition',
          subject: 'skull',
          cause: 'activity/start',
          data: { from: 'Idle', to: 'Track', mode: 'Accueil' },
        },
      ],
      next_cursor: '42',
    },
  },
  errors: ['unavailable'],
  handle: async ({ query }, { ports }) => {
    const found = await ports.events.read({
      ...aboutOf(query),
      cause: query.cause,
      from: momentOf(query, 'from'),
      to: momentOf(query, 'to'),
      before: beforeOf(query),
      first: 'newest',
      // One more, to know whether there is one.
      limit: query.limit + 1,
    });
    const items = found.slice(0, query.limit);
    const last = items.at(-1);
    return { body: { items, next_cursor: found.length > items.length && last !== undefined ? `${last.seq}` : null } };
  },
});

export const EVENT_OPERATIONS: readonly Operation[] = [list];
