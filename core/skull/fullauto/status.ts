import { timestamp } from '../../model/timestamp.ts';
import { type Static, Type } from '../../model/type.ts';

/** What a cycle is made of, in this order. */
export const STEPS = ['song', 'accueil', 'ia'] as const;
export type Step = (typeof STEPS)[number];

/** What FullAuto does, and what it will do. */
export const FullAutoStatus = Type.Object({
  enabled: Type.Boolean({ description: 'Whether the mode is FullAuto.' }),
  next_song_at: Type.Union([timestamp('When it starts.'), Type.Null()], {
    description:
      'When the next song starts, while one plays the one after it; now, where it only waits for the present cycle to end. Null while none will: in another mode, on hold, under emergency stop.',
  }),
  step: Type.Union([Type.Enum([...STEPS]), Type.Null()], { description: 'Null between two cycles.' }),
  cycle_id: Type.Union([Type.String(), Type.Null()], { description: 'Also the id of its song as an activity.' }),
  held: Type.Boolean({ description: '`fullauto.hold`: no song starts until it is taken back.' }),
  upcoming: Type.Array(
    Type.Object({
      at: timestamp('When it starts.'),
      song: Type.Union([Type.String(), Type.Null()], { description: 'Null where it is drawn only then.' }),
    }),
    { description: 'The next songs, quiet hours taken into account.' },
  ),
});
export type FullAutoStatus = Static<typeof FullAutoStatus>;

/** What somebody has started. */
export const StartedCycle = Type.Object({
  cycle_id: Type.String({ description: 'As `fullauto.cycle_id` of the status says.' }),
  steps: Type.Array(Type.Enum([...STEPS]), { description: 'What will be done, in this order.' }),
});
export type StartedCycle = Static<typeof StartedCycle>;
