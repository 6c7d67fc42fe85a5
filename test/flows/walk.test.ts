import assert from 'node:assert/strict';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { MODES } from '../../core/skull/topics.ts';
import { skullDefinition } from '../support/skull.ts';
import { type Step, walkOf } from '../support/walk.ts';

const EVENTS: [string, unknown][] = [
  ...MODES.map((mode): [string, unknown] => ['skull/mode', mode]),
  ['motion/estop', { active: true }],
  ['motion/estop', { active: false }],
  ['vision/motion', { score: 1 }],
  ['vision/motion', { score: 0 }],
  ['vision/pose', { x: 0, y: 0 }],
  ['audio/vad', { active: true }],
  ['audio/vad', { active: false }],
  ['asr/text', { text: 'a', final: true }],
  ['asr/text', { text: 'a', final: false }],
  ['ai/response', { text: 'a' }],
  ['ai/response', { text: 'a', id: 'another' }],
  ['voice/state', { state: 'done' }],
  ['voice/state', { state: 'done', id: 'another' }],
  ['voice/state', { state: 'playing' }],
  ['song/pause', {}],
  ['song/resume', {}],
  ['ia/reply', { text: 'a' }],
];
const STEPS = ['accueil', 'ia'].map((step): [string, unknown] => ['fullauto/step', { step }]);
const SONG = { song: 's', path: 'p', duration_ms: 1000 };
/** What the lane may start. Here an activity's id is its kind, but that a conversation can begin in two ways. */
const STARTS: [string, string, object][] = [
  ['greet', 'greet', {}],
  ['sing', 'sing', SONG],
  ['say', 'say', { text: 'a' }],
  ['hear', 'converse', {}],
  ['reply', 'converse', { text: 'a' }],
  ['publish', 'publish', { topic: 't', payload: 'p' }],
  ['dance', 'dance', {}],
];

interface Situation {
  mode: string;
  activity: { id: string } | null;
  shelf: { activity: { id: string } }[];
}

/**
 * What the lane and FullAuto may say in this situation: with one activity paused at most, and only in the mode where
 * everything may be, for neither makes another situation of it.
 */
function ordersIn({ mode, activity, shelf }: Situation, pausing: boolean): [string, unknown][] {
  const isFullAuto = mode === 'FullAuto' && pausing;
  const ids = [...(activity === null ? [] : [activity]), ...shelf.map((entry) => entry.activity)].map(({ id }) => id);
  const fresh = STARTS.filter(([id]) => !ids.includes(id) && (isFullAuto || shelf.length === 0));
  const rooms = [null, ...(activity === null || shelf.length > 0 || !isFullAuto ? [] : [activity.id])];
  return [
    ...(isFullAuto ? STEPS : []),
    ...fresh.flatMap(([id, kind, args]) =>
      rooms.map((preempts): [string, unknown] => [
        'activity/start',
        { id, kind, priority: 'LOW', args, preempts, since: 0, cause: 'test' },
      ]),
    ),
    ...['other', ...ids].flatMap((id): [string, unknown][] => [
      ['activity/resume', { id, preempts: null }],
      ['activity/cancel', { id }],
      ['voice/state', { state: 'done', id }],
    ]),
  ];
}

const WORDS = new Set(['text', 'song', 'path', 'duration_ms', 'priority']);

const VOICED = ['Talk', 'Sing', 'Speak'];

/** Every situation that the chart can get into by these events, and every step between them. */
function steps(fallback_text: string | null) {
  const { definition } = skullDefinition();
  assert.ok(definition);
  const walk = walkOf(definition, {
    config: {
      ...DEFAULTS,
      ia: { ...DEFAULTS.ia, fallback_text },
      accueil: { ...DEFAULTS.accueil, greetings: ['one'] },
    },
    random: { id: () => 'id', next: () => 0 },
    now: 1_000_000,
  });
  const found = walk.steps(
    ({ context }) =>
      [...EVENTS, ...ordersIn(context as unknown as Situation, fallback_text !== null)].map(([name, payload]) => ({
        name,
        payload,
      })),
    // Words, places and times decide nothing.
    ({ leaf, context: { greeting, text, outcome, x, y, song, path, duration_ms, ...decisive } }) =>
      JSON.stringify([leaf.path, decisive], (key, inner) => (WORDS.has(key) ? undefined : inner)),
  );
  return { walk, found };
}

describe('every walk through the skull', () => {
  const walks = ['Pardon ?', null].map(steps);
  const found = walks.flatMap((walk) => walk.found);

  it('takes each transition of the definition', () => {
    const missed = walks.map(({ walk, found: steps }) => {
      const seen = new Set(steps.map(({ taken }) => taken));
      return walk.transitions.filter((one) => !seen.has(one));
    });
    const [talkative = [], silent = []] = missed;
    assert.deepEqual(
      talkative.filter((one) => silent.includes(one)),
      [],
    );
    // Whether a fallback text is set decides which of Think's two time-outs is the one.
    assert.equal(talkative.length, 1);
  });

  const invariant = (what: string, holds: (step: (typeof found)[number]) => boolean) =>
    it(what, () => {
      assert.ok(found.length > 100);
      const broken = found.find((step) => !holds(step));
      const shown = ({ leaf, context }: Step['from']) => [leaf.path, context];
      assert.equal(broken && JSON.stringify([shown(broken.from), broken.event, shown(broken.to)]), undefined);
    });

  invariant('a latched emergency stop means Idle, and only a release lifts it', ({ from, event, to }) => {
    const released = (event.payload as { active?: boolean } | undefined)?.active === false;
    const [before, after] = [from.context.estop === true, to.context.estop === true];
    return (!after || to.leaf.path === 'Idle') && (!before || after || released);
  });
  invariant(
    'there is an activity in all states but Idle and Sleep',
    ({ to }) => (to.context.activity === null) === ['Idle', 'Sleep'].includes(to.leaf.path),
  );
  invariant(
    'the voice is on only where the skull uses it',
    ({ to }) => to.context.voicing === VOICED.includes(to.leaf.path),
  );
  invariant(
    'the gaze is on only in Track and Talk',
    ({ to }) => to.context.tracking === ['Track', 'Talk'].includes(to.leaf.path),
  );
  invariant('only a song is paused', ({ to }) => to.context.paused !== true || to.leaf.path === 'Sing');
  invariant(
    'the mode changes only when told',
    ({ from, event, to }) => from.context.mode === to.context.mode || event.name === 'skull/mode',
  );
});
