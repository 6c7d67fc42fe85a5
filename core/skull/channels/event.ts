import { EVENT_KINDS } from '../../model/event.ts';
import { timestamp } from '../../model/timestamp.ts';
import { Type } from '../../model/type.ts';

const DATA = `What else is to be known of it, by its kind:

- \`transition\`: \`from\` and \`to\`, the states; \`mode\`; \`mode_before\`, \`estop\` and \`paused\` where they changed.
- \`activity\`: \`id\`, \`name\`, \`priority\`, \`phase\` and, at its end, \`outcome\`. Of \`fullauto\`: \`phase\` and its status.
- \`service\`: \`state\`, and what led to it.
- \`config\`: the keys of the section that changed, with their new values.
- \`rest\`: \`method\`, \`path\` and \`status\`; the cause is the id of the request.`;

export const Event = Type.Object({
  seq: Type.Integer({ minimum: 1, description: 'Grows by one with each event, also over restarts.' }),
  time: timestamp('When it happened.'),
  kind: Type.Enum([...EVENT_KINDS], { description: 'What sort of fact it is.' }),
  subject: Type.String({ description: 'The section, service, activity kind, statechart or run that it is about.' }),
  cause: Type.String({
    description: 'What made it happen: a topic, `delay`, `rest`, `mqtt`, `file`, `boot` and more.',
  }),
  data: Type.Object(
    {
      next_song_at: Type.Optional(
        Type.Union([timestamp('When the next song starts.'), Type.Null()], {
          description: 'Of FullAuto, else absent.',
        }),
      ),
    },
    { additionalProperties: true, description: DATA },
  ),
});
