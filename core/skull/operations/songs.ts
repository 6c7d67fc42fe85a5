import { SkullError } from '../../model/errors.ts';
import { type Static, Type } from '../../model/type.ts';
import type { Activity } from '../../scheduler/activity.ts';
import type { Character } from '../character.ts';
import { singArgs } from '../tasks.ts';
import { bodyOf, refuseUnderEstop } from './body.ts';
import { begun, ClaimedActivity, claimBody, laneOf, told } from './claims.ts';
import { define, type Operation } from './operation.ts';
import { State } from './service.ts';

const SongAnswer = Type.Object({
  state: State,
  activity: Type.Union([ClaimedActivity, Type.Null()], { description: 'The song; null where there is none.' }),
});
const playing = { id: 'k3v9', kind: 'sing', priority: 'HIGH', running_ms: 0, phase: 'running' };
const success = (description: string, state: string, activity: unknown) => ({
  status: 200,
  description,
  schema: SongAnswer,
  example: { state, activity },
});

const Empty = Type.Object({}, { additionalProperties: false });
const nothing = { schema: Empty, example: {}, absent: {} };

/** The song that plays or is paused; the one that waits does not count. */
const currentSong = ({ lane }: Character): Activity | undefined =>
  lane && [...lane.running, ...lane.paused()].find(({ kind }) => kind === 'sing');

function answer(character: Character, activity = currentSong(character)): { body: Static<typeof SongAnswer> } {
  return {
    body: { state: bodyOf(character).state, activity: activity === undefined ? null : told(character, activity) },
  };
}

const send = (character: Character, type: string): boolean => bodyOf(character).send({ type, payload: {} }).handled;

const play = define({
  id: 'playSong',
  method: 'POST',
  path: '/song/play',
  tag: 'Songs',
  summary: 'Play or resume a song',
  description:
    'Plays a song in any mode, as soon as the body is free for it. Without a song it resumes the paused one, or plays the configured `song.default` where none is paused; another song takes the place of a paused one.',
  role: 'editor',
  body: {
    schema: Type.Object(
      {
        song: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 200,
            description: 'A file name in `songs/`, with or without `.mp3`.',
          }),
        ),
      },
      { additionalProperties: false },
    ),
    example: { song: 'thriller' },
    absent: {},
  },
  success: success('The song plays, or waits for its turn.', 'Sing', playing),
  errors: ['estop', 'conflict', 'not_allowed', 'too_many_requests', 'unavailable'],
  handle: async ({ body: { song } }, character) => {
    const what = 'Playing a song';
    refuseUnderEstop(character, what);
    if (song === undefined && send(character, 'song/resume')) return answer(character);
    const wanted = song ?? character.config.get('song').default;
    if (wanted === null) {
      throw new SkullError('not_allowed', 'No song is named and none is configured: set `default` in section song.');
    }
    const { title, ...args } = await singArgs(character.ports.songs, wanted);
    const { context } = bodyOf(character);
    if (context.paused === true) laneOf(character).cancel({ kinds: ['sing'], waiting: false });
    const claim = { kind: 'sing', name: title, priority: 'HIGH', args, cause: 'rest' } as const;
    const activity = claimBody(character, what, claim);
    await begun(character, activity);
    return answer(character, activity);
  },
});

const pause = define({
  id: 'pauseSong',
  method: 'POST',
  path: '/song/pause',
  tag: 'Songs',
  summary: 'Pause the song',
  description: 'The song keeps its place; `POST /song/play` without a body goes on.',
  role: 'editor',
  body: nothing,
  success: success('The song is paused.', 'Sing', playing),
  errors: ['estop', 'conflict', 'unavailable'],
  handle: (_request, character) => {
    refuseUnderEstop(character, 'Pausing a song');
    if (currentSong(character)?.interruptible === false) {
      throw new SkullError('conflict', 'This song was posted as one that may not be interrupted: it can be stopped.');
    }
    const body = bodyOf(character);
    if (body.context.paused !== true && !send(character, 'song/pause')) {
      throw new SkullError('conflict', `No song plays: the skull is in state ${body.state}.`);
    }
    return answer(character);
  },
});

const stop = define({
  id: 'stopSong',
  method: 'POST',
  path: '/song/stop',
  tag: 'Songs',
  summary: 'Stop the song',
  description:
    'Ends the song, also a paused one, and every song that waits. Where there is none nothing happens: stopping is never refused.',
  role: 'editor',
  body: nothing,
  success: success('No song plays.', 'Idle', null),
  errors: ['unavailable'],
  handle: (_request, character) => {
    character.lane?.cancel({ kinds: ['sing'] });
    return answer(character);
  },
});

export const SONG_OPERATIONS: readonly Operation[] = [play, pause, stop];
