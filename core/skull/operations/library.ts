import { SkullError } from '../../model/errors.ts';
import { Type } from '../../model/type.ts';
import type { Character } from '../character.ts';
import { define, type Operation } from './operation.ts';
import { Page, PageQuery, pageOf } from './page.ts';

/** As `http in` finds it in the form: where the file lies, what its sender called it, how large it is. */
const Upload = Type.Object(
  {
    file: Type.Object(
      { path: Type.String(), filename: Type.String(), size: Type.Integer({ minimum: 0 }) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

export const SongItem = Type.Object({
  name: Type.String({ description: 'Its file name without `.mp3`.' }),
  title: Type.String({ description: 'From its tags; its name where they have none.' }),
  artist: Type.Union([Type.String(), Type.Null()], { description: 'From its tags; null where they have none.' }),
  duration_ms: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: 'Null for a file that was put there by hand, until it is played.',
  }),
  size: Type.Integer({ minimum: 0, description: 'In bytes.' }),
});

const thriller = { name: 'thriller', title: 'Thriller', artist: null, duration_ms: 357_000, size: 5_712_000 };

const list = define({
  id: 'listSongs',
  method: 'GET',
  path: '/song',
  tag: 'Songs',
  summary: 'The songs',
  description: 'By name. An MP3 that is put into `songs/` by hand is a song too.',
  role: 'viewer',
  query: PageQuery,
  success: {
    status: 200,
    description: 'A page of songs.',
    schema: Page(SongItem),
    example: { items: [thriller], next_cursor: null },
  },
  errors: [],
  handle: async ({ query }, { ports }) => ({ body: pageOf(await ports.songs.list(), query, ({ name }) => name) }),
});

const upload = define({
  id: 'uploadSong',
  method: 'POST',
  path: '/song/upload',
  tag: 'Songs',
  summary: 'Upload a song',
  description:
    'A whole MP3 of 50 MB (50 · 2²⁰ bytes) at most, as field `file` of a form. Its file name without `.mp3` becomes the name of the song. What moves the jaw is computed after the answer.',
  role: 'editor',
  query: Type.Object(
    {
      replace: Type.Boolean({
        default: false,
        description: 'Takes the place of a song of the same name, unless that plays, is paused or waits.',
      }),
    },
    { additionalProperties: false },
  ),
  body: {
    schema: Upload,
    documented: Type.Object({
      file: Type.String({ format: 'binary', contentMediaType: 'audio/mpeg', description: 'The MP3.' }),
    }),
    example: { file: 'thriller.mp3' },
    types: ['multipart/form-data'],
  },
  success: { status: 200, description: 'The song.', schema: SongItem, example: thriller },
  errors: ['conflict', 'busy', 'not_allowed', 'storage_full'],
  handle: async ({ query, body: { file } }, character) => {
    const { songs } = character.ports;
    if (query.replace) refuseWanted(character, (await songs.find(file.filename))?.name);
    return { body: await songs.add(file, query) };
  },
});

/** Whether a song is sung, or will be. */
function isWanted({ lane }: Character, song: string): boolean {
  const activities = lane === undefined ? [] : [...lane.running, ...lane.paused(), ...lane.waiting()];
  return activities.some(({ kind, args }) => kind === 'sing' && Object(args).song === song);
}

function refuseWanted(character: Character, name: string | undefined): void {
  if (name === undefined || !isWanted(character, name)) return;
  throw new SkullError('busy', `Song ${name} plays, is paused or waits: stop it with POST /song/stop first.`);
}

const remove = define({
  id: 'deleteSong',
  method: 'DELETE',
  path: '/song/{name}',
  tag: 'Songs',
  summary: 'Delete a song',
  description: 'Not while it plays, is paused or waits to be played.',
  role: 'editor',
  params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 200, description: 'With or without `.mp3`.' }) }),
  success: {
    status: 200,
    description: 'The song that is gone.',
    schema: Type.Object({ name: Type.String({ description: 'Its file name without `.mp3`.' }) }),
    example: { name: 'thriller' },
  },
  errors: ['not_found', 'busy'],
  handle: async ({ params }, character) => {
    const { songs } = character.ports;
    const names = (await songs.list()).map(({ name }) => name);
    const wanted = params.name.normalize('NFC');
    const name = [wanted, wanted.replace(/\.mp3$/i, '')].find((known) => names.includes(known));
    refuseWanted(character, name);
    if (name === undefined || !(await songs.remove(name))) {
      throw new SkullError('not_found', `There is no song ${params.name}.`);
    }
    return { body: { name } };
  },
});

export const LIBRARY_OPERATIONS: readonly Operation[] = [list, upload, remove];
