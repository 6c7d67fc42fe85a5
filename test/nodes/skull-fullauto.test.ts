import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { Character } from '../../core/skull/character.ts';
import skullFsm from '../../nodes/skull-fsm/skull-fsm.ts';
import skullFullauto from '../../nodes/skull-fullauto/skull-fullauto.ts';
import skullPriority from '../../nodes/skull-priority/skull-priority.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { settled } from '../support/settled.ts';
import { skullDefinition } from '../support/skull.ts';
import { MemorySongs } from '../support/songs.ts';

const TAB: FlowNode = { id: 'tab', type: 'tab' };
const place = { z: 'tab', x: 0, y: 0 };
const show = (extra: object = {}): FlowNode => ({
  id: 'show',
  type: 'skull-fullauto',
  character: 'skull',
  wires: [['out'], ['out']],
  ...place,
  ...extra,
});
const around: FlowNode[] = [
  { id: 'out', type: 'helper', ...place },
  { id: 'caught', type: 'catch', wires: [['errors']], ...place },
  { id: 'errors', type: 'helper', ...place },
];
const ON = { mode: 'FullAuto', estop: false };

interface Shown {
  status: { args: [{ fill?: string; text?: string }][] };
}

describe('skull-fullauto', () => {
  let flow: LoadedFlow;
  let sent: [unknown, unknown][];
  let errors: string[];

  const listen = () => {
    flow.node('out').on('input', ({ topic, payload }) => void sent.push([topic, payload]));
    flow.node('errors').on('input', (msg) => void errors.push((msg as { error?: Error }).error?.message ?? ''));
  };
  async function load(nodes: FlowNode[] = [show()], { songs = ['a', 'b'] } = {}): Promise<void> {
    sent = [];
    errors = [];
    flow = await loadFlow([skullFsm, skullPriority, skullFullauto], [...nodes, ...around], {
      songs: new MemorySongs(songs),
    });
    listen();
    await settled();
    character().config.merge('fullauto', { shuffle: false }, 'rest');
  }
  async function deploy(nodes: FlowNode[]): Promise<void> {
    await helper.setFlows([TAB, CHARACTER, ...nodes, ...around]);
    listen();
    await settled();
  }
  async function send(topic: string, payload?: unknown): Promise<void> {
    flow.node('show').receive({ topic, payload } as NodeMessage);
    await settled();
  }
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      flow.clock.advance(1000);
      await settled();
    }
  }
  const shown = () => (flow.node('show') as unknown as Shown).status.args.at(-1)?.[0];
  /** What left the node since the last call: of a claim its song. */
  const told = () =>
    sent.splice(0).map(([topic, payload]) => {
      const { args, id, step } = Object(payload);
      return `${topic} ${args?.song ?? id ?? step}`;
    });
  /** The one of now: a deploy makes it anew. */
  const character = () => (flow.node('skull') as unknown as { character: Character }).character;
  const claimed = () => character().fullauto?.status().cycle_id;
  const done = (extra: object = {}) =>
    send('activity/done', {
      id: claimed(),
      kind: 'sing',
      outcome: 'completed',
      started_at: flow.clock.now(),
      ...extra,
    });

  afterEach(() => flow.unload());

  it('claims the body for each song, and says each step', async () => {
    await load();
    assert.deepEqual(told(), ['fullauto/step ']);
    await send('mode', ON);
    assert.deepEqual(sent.splice(0), [
      [
        'claim',
        {
          id: claimed(),
          kind: 'sing',
          name: 'a',
          priority: 'LOW',
          args: { song: 'a', path: '/home/skull/songs/a.mp3', duration_ms: 60_000 },
          key: 'fullauto',
          ttl_ms: 300_000,
          cause: 'fullauto',
        },
      ],
    ]);
    await done();
    await done({ id: 'x', kind: 'greet' });
    await pass(60);
    assert.deepEqual(told(), ['fullauto/step accueil', 'fullauto/step ia', 'fullauto/step ']);
    await pass(240);
    assert.deepEqual(told(), ['claim b']);
    const id = claimed();
    await send('mode', { mode: 'Idle', estop: false });
    assert.deepEqual(told(), [`cancel ${id}`]);
    assert.deepEqual(errors, []);
  });

  it('shows the step, the next time, hold, emergency stop and that it is off', async () => {
    await load();
    const text = (key: string) => `skull-fullauto.status.${key}`;
    assert.deepEqual(shown(), { fill: 'grey', shape: 'ring', text: text('off') });
    await send('mode', ON);
    assert.deepEqual(shown(), { fill: 'green', shape: 'dot', text: text('step-song') });
    await done();
    assert.equal(shown()?.text, text('step-accueil'));
    await pass(30);
    assert.equal(shown()?.text, text('step-ia'));
    await pass(60);
    assert.deepEqual(shown(), { fill: 'green', shape: 'ring', text: text('next') });
    character().config.merge('fullauto', { hold: true }, 'rest');
    assert.deepEqual(shown(), { fill: 'yellow', shape: 'ring', text: text('held') });
    character().config.merge('fullauto', { hold: false }, 'rest');
    await send('mode', { ...ON, estop: true });
    assert.deepEqual(shown(), { fill: 'red', shape: 'ring', text: text('estop') });
  });

  it('obeys by hand, and tells a catch node why not', async () => {
    await load();
    await send('test-once');
    await send('test-once');
    await send('next');
    await send('mode', 'FullAuto');
    await send('activity/done', { id: 'x' });
    await send('dance');
    assert.deepEqual(told(), ['fullauto/step ', 'claim a']);
    const reasons = [
      /A cycle of FullAuto runs: its step is song/,
      /in mode FullAuto only, and the mode is Idle/,
      /The payload of mode is invalid/,
      /The payload of activity\/done is invalid: \/kind is missing/,
      /msg.topic must be mode, activity\/done, next or test-once/,
    ];
    assert.equal(errors.length, reasons.length);
    for (const [index, reason] of reasons.entries()) assert.match(errors[index] ?? '', reason);
    await send('mode', ON);
    await done();
    await send('next');
    assert.deepEqual(told(), ['fullauto/step accueil', 'fullauto/step ', 'claim b']);
  });

  it('follows the configuration', async () => {
    await load();
    await send('mode', ON);
    await done();
    await pass(100);
    told();
    character().config.merge('fullauto', { interval_song_ms: 100_000 }, 'rest');
    await settled();
    assert.deepEqual(told(), ['claim b']);
  });

  it('tells its changes as events, and its status to whoever asks the character', async () => {
    await load();
    const phases: unknown[] = [];
    character().events.onEvent(({ subject, data }) => {
      if (subject === 'fullauto') phases.push(data.phase);
    });
    await send('mode', ON);
    await done();
    await pass(90);
    assert.deepEqual(phases, ['started', 'step', 'step', 'ended']);
    assert.equal(character().status().fullauto.next_song_at, '2026-01-01T00:05:00.000Z');
  });

  it('goes on with its cycle after a deploy, and ends when it is removed', async () => {
    await load();
    await send('mode', ON);
    await done();
    const id = claimed();
    told();
    await deploy([show({ name: 'changed' })]);
    assert.equal(claimed(), id);
    await send('mode', ON);
    await pass(30);
    assert.deepEqual(told(), ['fullauto/step accueil', 'fullauto/step ia']);
    await deploy([]);
    assert.equal(flow.clock.pending, 0);
    await deploy([show()]);
    await send('mode', ON);
    assert.deepEqual(told(), ['fullauto/step '], 'what it knows of the last song is on disk');
  });

  it('refuses to be the second one of a character', async () => {
    await load([show({ id: 'first', wires: [[], []] }), show()]);
    assert.deepEqual(shown(), { fill: 'red', shape: 'ring', text: 'skull-fullauto.status.taken' });
    errors.length = 0;
    await send('mode', ON);
    assert.deepEqual([errors.length, told()], [1, []]);
    await flow.node('show').close();
    assert.ok(character().fullauto, 'the first one stays');
  });

  it('lets everything go when it is closed', async () => {
    await load();
    await send('mode', ON);
    await done();
    told();
    await flow.node('show').close();
    assert.equal(character().fullauto, undefined);
    character().config.merge('fullauto', { accueil_after_song: false }, 'rest');
    await pass(400);
    assert.deepEqual(told(), []);
    assert.equal(flow.clock.pending, 0);
  });

  it('says so when it has no character', async () => {
    await load([show({ character: '' })]);
    assert.deepEqual(shown(), { fill: 'red', shape: 'ring', text: 'skull-fullauto.status.no-character' });
  });

  describe('with the statechart and the lane', () => {
    const { definition } = skullDefinition();
    /** The statechart's outputs: state, commands, transitions, and those it names itself. */
    const outputs = ['lane', 'fullauto', 'jaw'].map((name) => ({ lane: ['lane'], fullauto: ['show'] })[name] ?? []);
    const flowOf = (extra: object = {}): FlowNode[] => [
      show({ wires: [['lane'], ['body']], ...extra }),
      { id: 'body', type: 'skull-fsm', character: 'skull', definition, wires: [[], ['out'], [], ...outputs], ...place },
      {
        id: 'lane',
        type: 'skull-priority',
        character: 'skull',
        wires: [['body'], ['body'], ['body'], ['body'], ['show']],
        ...place,
      },
    ];
    const signal = async (topic: string, payload: unknown) => {
      flow.node('body').receive({ topic, payload } as NodeMessage);
      await settled();
    };
    const state = () => character().body?.state;

    it('sings, greets and converses, round and round', async () => {
      await load(flowOf());
      await signal('skull/mode', 'FullAuto');
      for (let round = 0; round < 2; round++) {
        assert.equal(state(), 'Sing');
        await signal('vision/motion', { score: 0.9 });
        await pass(10);
        await signal('voice/state', { state: 'done' });
        assert.equal(character().fullauto?.status().step, 'accueil');
        await signal('vision/motion', { score: 0.9 });
        await pass(1);
        assert.equal(state(), 'Talk');
        await signal('voice/state', { state: 'done' });
        assert.equal(character().fullauto?.status().step, 'ia');
        await signal('audio/vad', { active: true });
        assert.equal(state(), 'Listen');
        await signal('asr/text', { text: 'bonjour', final: true });
        await signal('ai/response', { text: 'bonsoir' });
        await signal('voice/state', { state: 'done' });
        assert.equal(character().fullauto?.status().step, null);
        assert.equal(state(), 'Idle');
        await pass(289);
      }
      assert.deepEqual(errors, []);
    });

    it('stops at once, starts nothing under emergency stop, and comes back when a song is due', async () => {
      await load(flowOf());
      await signal('skull/mode', 'FullAuto');
      await signal('motion/estop', { active: true });
      assert.deepEqual([state(), claimed(), character().lane?.running.length], ['Idle', null, 0]);
      await pass(400);
      assert.equal(state(), 'Idle');
      await signal('motion/estop', { active: false });
      await pass(1);
      assert.equal(state(), 'Sing');
      assert.deepEqual(errors, []);
    });

    it('believes the statechart more than a message about it', async () => {
      await load(flowOf());
      await signal('skull/mode', 'FullAuto');
      await send('mode', { mode: 'Idle', estop: false });
      assert.deepEqual([state(), character().fullauto?.status().step], ['Sing', 'song']);
    });

    it('leaves a song that plays to mode Chanson', async () => {
      await load(flowOf());
      await signal('skull/mode', 'FullAuto');
      await signal('skull/mode', 'Chanson');
      assert.deepEqual([state(), claimed()], ['Sing', null]);
      await signal('skull/mode', 'IA');
      assert.equal(state(), 'Idle');
    });

    it('knows the mode after a deploy, and goes on', async () => {
      await load(flowOf());
      await signal('skull/mode', 'FullAuto');
      await deploy(flowOf({ name: 'changed' }));
      const { enabled, step } = character().status().fullauto;
      assert.deepEqual([state(), enabled, step], ['Sing', true, 'song']);
      await signal('voice/state', { state: 'done' });
      assert.deepEqual([state(), character().fullauto?.status().step], ['Idle', 'accueil']);
    });
  });
});
