import { SkullError } from '../../model/errors.ts';
import { type Static, Type } from '../../model/type.ts';
import type { Statechart } from '../../statechart/statechart.ts';
import type { Character } from '../character.ts';
import { bodyOf, refusal, refuseUnderEstop } from './body.ts';
import { define, type Operation } from './operation.ts';
import { Activity, State } from './service.ts';

const SongAnswer = Type.Object({ state: State, activity: Type.Union([Activity, Type.Null()]) });
const playing = { id: 'k3v9', kind: 'sing', priority: 'HIGH', running_ms: 0 };
const success = (description: string, state: string, activity: unknown) => ({
  status: 200,
  description,
  schema: SongAnswer,
  example: { state, activity },
});

const Empty = Type.Object({}, { additionalProperties: false });
const nothing = { schema: Empty, example: {}, absent: {} };

function answer(character: Character): { body: Static<typeof SongAnswer> } {
  const { state, activity } = character.status();
  return { body: { state, activity } };
}

/** The file name of a song: one of those in the folder and nothing else, so no name leads out of it. Throws `not_allowed`. */
async function fileOf(character: Character, song: string): Promise<string> {
  const files = await character.ports.songs();
  const file = [song, `${song}.mp3`].find((name) => /\.mp3$/i.test(name) && files.includes(name));
  if (file === undefined) {
    throw new SkullError('not_allowed', `There is no song ${song} in ${character.ports.home}/songs.`, {
      issues: [{ path: '/song', message: 'is not a song that is here' }],
    });
  }
  return file;
}

function send(body: Statechart, type: string, payload: unknown, what: string): void {
  if (!body.send({ type, payload }).handled) throw refusal(body, what);
}

const play = define({
  id: 'playSong',
  method: 'POST',
  path: '/song/play',
  tag: 'Songs',
  summary: 'Play or resume a song',
  description:
    'Plays a song in any mode. Without a song it resumes the paused one, or plays the configured `song.default` where none is paused.',
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
  success: success('The song plays.', 'Sing', playing),
  errors: ['estop', 'busy', 'not_allowed', 'unavailable'],
  handle: async ({ body: { song } }, character) => {
    const what = 'Playing a song';
    refuseUnderEstop(character, what);
    if (song === undefined && bodyOf(character).context.paused === true) {
      send(bodyOf(character), 'song/resume', {}, what);
      return answer(character);
    }
    const wanted = song ?? character.config.get('song').default;
    if (wanted === null) {
      throw new SkullError('not_allowed', 'No song is named and none is configured: set `default` in section song.');
    }
    const file = await fileOf(character, wanted);
    const path = `${character.ports.home}/songs/${file}`;
    send(bodyOf(character), 'song/play', { song: file.slice(0, -'.mp3'.length), path }, what);
    return answer(character);
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
    const body = bodyOf(character);
    if (body.context.paused !== true && !body.send({ type: 'song/pause', payload: {} }).handled) {
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
  description: 'Ends the song, also a paused one. Where none plays nothing happens: stopping is never refused.',
  role: 'editor',
  body: nothing,
  success: success('No song plays.', 'Idle', null),
  errors: ['unavailable'],
  handle: (_request, character) => {
    bodyOf(character).send({ type: 'song/stop', payload: {} });
    return answer(character);
  },
});

export const SONG_OPERATIONS: readonly Operation[] = [play, pause, stop];
