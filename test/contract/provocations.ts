import assert from 'node:assert/strict';
import type { Answered, Asked } from './client.ts';
import type { Documented } from './document.ts';
import { calm, KEYS, type Stage, songForm, upload } from './stage.ts';

/** Brings the answer about, on a skull that does nothing. */
export type Provocation = (stage: Stage, operation: Documented) => Promise<Answered>;

/** What stands for the parameters of a path; `nobody` is none. */
const PLACES: Readonly<Record<string, string>> = {
  '/config/{section}': '/config/gaze',
  '/servo/{name}/move': '/servo/jaw/move',
  '/servo/{name}/limits': '/servo/jaw/limits',
  '/services/{name}/start': '/services/voice/start',
  '/services/{name}/stop': '/services/voice/stop',
  '/services/{name}/restart': '/services/voice/restart',
  '/song/{name}': '/song/tones',
};
const nobody = (path: string): string => path.replace(/\{\w+\}/, 'nobody');

const FORM = 'multipart/form-data';
const JSON_TYPE = 'application/json';
/** More than any body of JSON may have. */
const LARGE = ' '.repeat(2 ** 20 + 1);

/** A request as its documented example says. */
export function sample({ method, path, body }: Documented): Asked {
  const at = { method, path: PLACES[path] ?? nobody(path) };
  const [first] = Object.entries(body?.content ?? {});
  if (first === undefined) return at;
  const [type, { example }] = first;
  if (type !== FORM) return { ...at, headers: { 'content-type': type }, body: JSON.stringify(example) };
  const form = songForm('tones.mp3');
  return { ...at, path: `${at.path}?replace=true`, headers: { 'content-type': form.type }, body: form.body };
}

const typeOf = ({ body }: Documented): string => Object.keys(body?.content ?? {})[0] ?? JSON_TYPE;
const withBody = (operation: Documented, type: string, body: string): Asked => ({
  ...sample(operation),
  headers: { 'content-type': type },
  body,
});
const asked: Provocation = ({ main }, operation) => main.ask(sample(operation));
const underEstop: Provocation = async ({ main }, operation) => {
  await main.must('POST', '/estop');
  return main.ask(sample(operation));
};
/** Wrong keys, until they are too many. */
const guessing: Provocation = async ({ stubborn }, operation) => {
  const asked = sample(operation);
  const guess = { ...asked, headers: { ...asked.headers, 'x-api-key': 'nobody' } };
  let answer = await stubborn.ask(guess);
  while (answer.status === 401) answer = await stubborn.ask(guess);
  return answer;
};
const stubborn: Provocation = (stage, operation) => stage.stubborn.ask(sample(operation));
const withFullQueue: Provocation = async (stage, operation) => {
  await stage.fillQueue();
  return stage.main.ask(sample(operation));
};
const playing: Provocation = async ({ main }, operation) => {
  await main.must('POST', '/song/play', { song: 'thriller' });
  return main.ask(sample(operation));
};
const instead =
  (method: string, path: string, body?: unknown): Provocation =>
  ({ main }) =>
    main.json(method, path, body);

const NO_NIGHT = { quiet_hours: { from: '08:00', to: '08:00', timezone: 'Europe/Paris' } };
const NEVER_BEGINS = { hold: true, accueil_after_song: false, ia_after_accueil: false };

/** Nothing for FullAuto to do: no song, and nothing that follows one. */
const withoutSongs: Provocation = async ({ main }, operation) => {
  await main.must('PATCH', '/fullauto/config', NEVER_BEGINS);
  await main.must('POST', '/mode', { mode: 'FullAuto' });
  for (const { name } of Object(await main.must('GET', '/song')).items) await main.must('DELETE', `/song/${name}`);
  const answer = await main.ask(sample(operation));
  assert.equal((await upload(main, 'thriller.mp3')).status, 200);
  return answer;
};
const nextSong: Provocation = async ({ main }, operation) => {
  await main.must('PATCH', '/fullauto/config', { hold: true });
  await main.must('POST', '/mode', { mode: 'FullAuto' });
  return main.ask(sample(operation));
};

/** A conversation that the AI answers at once; the skull then speaks. */
const conversation: Provocation = async (stage, operation) => {
  const question = stage.question();
  const answer = stage.main.ask(sample(operation));
  await question;
  await stage.broker.publishAsync('ai/response', 'Bonjour, vivant.');
  return answer;
};

/** By what is documented alone: the same way for every operation. */
const BY_RULE: Readonly<Record<string, Provocation>> = {
  '200': asked,
  '201': asked,
  '400 malformed': ({ main }, operation) =>
    main.ask(withBody(operation, typeOf(operation), typeOf(operation) === FORM ? 'no form' : '{')),
  '400 invalid': ({ main }, operation) =>
    operation.body !== undefined && typeOf(operation) !== FORM
      ? main.ask(withBody(operation, typeOf(operation), '[]'))
      : main.ask({ ...sample(operation), path: `${sample(operation).path.split('?', 1)[0]}?nobody=1` }),
  '401 unauthorized': ({ keyless }, operation) => keyless.ask(sample(operation)),
  '403 forbidden': ({ main }, operation) =>
    main.ask({ ...sample(operation), headers: { ...sample(operation).headers, 'x-api-key': KEYS.viewer } }),
  '404 not_found': ({ main }, operation) => main.ask({ ...sample(operation), path: nobody(operation.path) }),
  '408 request_timeout': ({ stubborn }, operation) =>
    stubborn.ask({ ...withBody(operation, typeOf(operation), '{}'), isUnfinished: true }),
  '409 estop': underEstop,
  '413 too_large': ({ main }, operation) =>
    typeOf(operation) === FORM
      ? main.ask({ ...sample(operation), headers: { 'content-type': FORM, 'content-length': String(2 ** 26) } })
      : main.ask(withBody(operation, typeOf(operation), LARGE)),
  '415 unsupported_media_type': ({ main }, operation) => main.ask(withBody(operation, 'text/plain', 'bonjour')),
  '429 too_many_requests': guessing,
  '503 unavailable': ({ starting }, operation) => starting.ask(sample(operation)),
};

/** What takes more than its rule. */
const BY_HAND: Readonly<Record<string, Readonly<Record<string, Provocation>>>> = {
  setMode: { '409 conflict': stubborn },
  setEstop: {
    '409 conflict': stubborn,
    '403 forbidden': ({ main }) => main.json('POST', '/estop', { active: false }, { 'x-api-key': KEYS.viewer }),
  },
  getMetrics: { '404 not_found': stubborn },
  say: { '409 conflict': stubborn, '429 too_many_requests': withFullQueue },
  replaceSection: { '422 not_allowed': instead('PUT', '/config/fullauto', NO_NIGHT) },
  patchSection: { '422 not_allowed': instead('PATCH', '/config/fullauto', NO_NIGHT) },
  replaceFullautoConfig: { '422 not_allowed': instead('PUT', '/fullauto/config', NO_NIGHT) },
  patchFullautoConfig: { '422 not_allowed': instead('PATCH', '/fullauto/config', NO_NIGHT) },
  moveServo: { '422 not_allowed': instead('POST', '/servo/jaw/move', { angle: 41 }) },
  setServoLimits: { '422 not_allowed': instead('PUT', '/servo/jaw/limits', { min: 1, max: 0, center: 0 }) },
  playSong: {
    '409 conflict': stubborn,
    '429 too_many_requests': withFullQueue,
    '422 not_allowed': instead('POST', '/song/play', { song: 'nobody' }),
  },
  pauseSong: { '200': playing, '409 conflict': asked },
  uploadSong: {
    '409 conflict': async ({ main }) => {
      await upload(main, 'tones.mp3', '?replace=true');
      return upload(main, 'tones.mp3');
    },
    '409 busy': async ({ main }) => {
      await main.must('POST', '/song/play', { song: 'thriller' });
      return upload(main, 'thriller.mp3', '?replace=true');
    },
    '422 not_allowed': ({ main }) => upload(main, '../thriller.mp3'),
  },
  deleteSong: {
    '200': async ({ main }, operation) => {
      await upload(main, 'tones.mp3', '?replace=true');
      return main.ask(sample(operation));
    },
    '409 busy': async ({ main }) => {
      await main.must('POST', '/song/play', { song: 'thriller' });
      return main.json('DELETE', '/song/thriller');
    },
  },
  createTask: {
    '409 conflict': stubborn,
    '429 too_many_requests': withFullQueue,
    '422 not_allowed': instead('POST', '/clone/orchestrator/tasks', { activity: 'sing', args: { song: 'nobody' } }),
  },
  deleteTask: {
    '200': async ({ main }) => {
      const { id } = await main.must('POST', '/clone/orchestrator/tasks', { activity: 'say', args: { text: 'Ah !' } });
      return main.json('DELETE', `/clone/orchestrator/tasks/${id}`);
    },
  },
  reply: {
    '200': conversation,
    '409 busy': async (stage, operation) => {
      await conversation(stage, operation);
      return stage.main.ask(sample(operation));
    },
    '409 conflict': async (stage, operation) => {
      const question = stage.question();
      const answer = stage.main.ask(sample(operation));
      await question;
      await stage.main.must('POST', '/estop');
      return answer;
    },
    '429 too_many_requests': withFullQueue,
    '504 timeout': async ({ main }, operation) => {
      await main.must('PATCH', '/ia/config', { think_timeout_ms: 100 });
      return main.ask(sample(operation));
    },
  },
  testFullauto: {
    '409 busy': async ({ main }, operation) => {
      await main.ask(sample(operation));
      return main.ask(sample(operation));
    },
    '422 not_allowed': withoutSongs,
  },
  startNextSong: {
    '200': nextSong,
    '409 conflict': asked,
    '409 busy': async (stage, operation) => {
      await nextSong(stage, operation);
      return stage.main.ask(sample(operation));
    },
    '422 not_allowed': withoutSongs,
  },
};

const SYSTEMD = 'only systemd refuses an order or keeps one waiting: test/real/systemd.test.ts';

/** What cannot be brought about from outside here, and why. */
export const BEYOND: Readonly<Record<string, string>> = {
  'startService 409 conflict': SYSTEMD,
  'startService 504 timeout': SYSTEMD,
  'stopService 409 conflict': SYSTEMD,
  'stopService 504 timeout': SYSTEMD,
  'restartService 409 conflict': SYSTEMD,
  'restartService 504 timeout': SYSTEMD,
  'uploadSong 507 storage_full': 'it takes a full disk: test/real/songs.test.ts',
};

/** Answers that take long to come, and need no calm: they are provoked side by side. */
export const isSlow = (answer: string): boolean => answer === '408 request_timeout';

/** How an answer of an operation is brought about; undefined where nobody knows. */
export function provocationOf({ id }: Documented, answer: string): Provocation | undefined {
  const provoke = BY_HAND[id]?.[answer] ?? BY_RULE[answer];
  if (provoke === undefined) return undefined;
  return async (stage, operation) => {
    if (!isSlow(answer)) await calm(stage.main);
    return provoke(stage, operation);
  };
}

/** Whoever is named here is there; so that what is gone from the document goes from here too. */
export const named = (): string[] => [
  ...Object.entries(BY_HAND).flatMap(([id, answers]) => Object.keys(answers).map((answer) => `${id} ${answer}`)),
  ...Object.keys(BEYOND),
];
