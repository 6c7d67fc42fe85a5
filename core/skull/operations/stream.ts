import { SkullError } from '../../model/errors.ts';
import { EVENT_KINDS } from '../../model/event.ts';
import type { EventQuery } from '../../model/event-log.ts';
import { parse } from '../../model/schema.ts';
import { Type } from '../../model/type.ts';
import { aboutOf } from './events.ts';
import { define } from './operation.ts';

/** What `GET /events/stream` may be asked to leave out. */
const StreamQuery = Type.Object(
  {
    kind: Type.Optional(Type.Enum([...EVENT_KINDS], { description: 'Only events of this kind.' })),
    run_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Only events of this run; not to be had with another kind than `run`.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** What the query asks for, in the event log's words. Throws `invalid`. */
export const askedBy = (query: unknown): Pick<EventQuery, 'kind' | 'subject'> =>
  aboutOf(parse(StreamQuery, query, { what: 'The query', coerce: true }));

/** The one operation that no flow serves: an answer without an end does not go through `http response`. */
export const EVENT_STREAM = define({
  id: 'streamEvents',
  method: 'GET',
  path: '/events/stream',
  tag: 'Events',
  summary: 'Events as they come',
  description:
    'Server-sent events, for `EventSource` and the like: `id` is the number of the event, `event` its kind, `data` the event on one line of JSON, as `GET /events` shows it. The header `X-Timezone` converts its time.\n\nWith the header `Last-Event-ID` (the number of an event; `EventSource` sends it by itself when it comes again) first comes what is kept behind that event, in order and without a gap, then what happens; where that is deleted already, it begins with the oldest that is kept. Without it the stream begins now. A number that no event has yet, as after a change of the database, begins now too, and a comment says so.\n\nEvery 15 seconds comes a comment, so that a silent stream is known to live. A reader for whom more than 256 KiB wait, or who takes nothing for half a minute of what is kept, is cut off and can go on where it was. More than 1000 readers at a time are refused with 503.',
  role: 'viewer',
  query: StreamQuery,
  success: {
    status: 200,
    type: 'text/event-stream',
    description: 'The stream. It has no end until the reader leaves or the orchestrator stops.',
    schema: Type.String({
      description:
        'Lines of server-sent events, in UTF-8: `retry` once, then for each event `id`, `event`, `data` and an empty line; lines that begin with a colon are comments.',
    }),
    example:
      'retry: 2000\n\nid: 7\nevent: config\ndata: {"seq":7,"time":"2026-01-01T12:00:00.000Z","kind":"config","subject":"gaze","cause":"rest","data":{}}\n\n:\n\n',
  },
  errors: ['unavailable'],
  handle: () => {
    throw new SkullError('unavailable', 'Events as they come are served by the headless runtime only.');
  },
});
