import { SkullError } from '../../model/errors.ts';
import { EVENT_KINDS } from '../../model/event.ts';
import { Type } from '../../model/type.ts';
import { define } from './operation.ts';

/** What `GET /events/stream` may be asked to leave out. */
export const StreamQuery = Type.Object(
  {
    kind: Type.Optional(Type.Enum([...EVENT_KINDS], { description: 'Only events of this kind.' })),
    run_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Only events of this run.' })),
  },
  { additionalProperties: false },
);

/** The one operation that no flow serves: an answer without an end does not go through `http response`. */
export const EVENT_STREAM = define({
  id: 'streamEvents',
  method: 'GET',
  path: '/events/stream',
  tag: 'Events',
  summary: 'Events as they come',
  description:
    'Server-sent events: `id` is the number of the event, `event` its kind, `data` the event as `GET /events` shows it. With `Last-Event-ID` it goes on behind that event. A reader who is too slow is cut off, and goes on where it was.',
  role: 'viewer',
  query: StreamQuery,
  success: {
    status: 200,
    type: 'text/event-stream',
    description: 'The stream.',
    schema: Type.String(),
    example:
      ':\n\nid: 7\nevent: config\ndata: {"seq":7,"time":"2026-01-01T12:00:00.000Z","kind":"config","subject":"gaze","cause":"rest","data":{}}\n\n',
  },
  errors: ['unavailable'],
  handle: () => {
    throw new SkullError('unavailable', 'Events as they come are served by the headless runtime only.');
  },
});
