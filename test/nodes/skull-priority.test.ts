import assert from 'node:assert/strict';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import helper from 'node-red-node-test-helper';
import skullPriority from '../../nodes/skull-priority/skull-priority.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { settled } from '../support/settled.ts';

type Message = Record<string, unknown>;

const OUTPUTS = ['start', 'pause', 'resume', 'cancel', 'done'];
const place = { z: 'tab', x: 0, y: 0 };
const TAB: FlowNode = { id: 'tab', type: 'tab' };

const lane = (extra: object = {}): FlowNode => ({
  id: 'lane',
  type: 'skull-priority',
  capacity: 1,
  wires: OUTPUTS.map((output) => [output]),
  ...place,
  ...extra,
});
const around: FlowNode[] = [
  ...OUTPUTS.map((id) => ({ id, type: 'helper', ...place })),
  { id: 'caught', type: 'catch', wires: [['errors']], ...place },
  { id: 'errors', type: 'helper', ...place },
  { id: 'completed', type: 'complete', scope: ['lane'], wires: [['complete']], ...place },
  { id: 'complete', type: 'helper', ...place },
];

const payloadOf = (message: Message | undefined) => (message?.payload ?? {}) as Message;

describe('skull-priority', () => {
  let flow: LoadedFlow;
  let seen: Message[];
  let errors: string[];

  const listen = () => {
    for (const output of OUTPUTS) {
      flow.node(output).on('input', (msg) => {
        assert.equal(msg.topic, `activity/${output}`);
        seen.push(msg as never);
      });
    }
    flow.node('errors').on('input', (msg) => void errors.push((msg as { error?: Error }).error?.message ?? ''));
  };
  async function load(extra: object = {}): Promise<void> {
    seen = [];
    errors = [];
    flow = await loadFlow([skullPriority], [lane(extra), ...around]);
    listen();
    await settled();
  }
  async function send(topic: string | undefined, payload: unknown): Promise<void> {
    flow.node('lane').receive({ topic, payload } as never);
    await settled();
  }
  const claim = (id: string, priority: unknown, extra: object = {}) =>
    send('claim', { id, kind: id, priority, ...extra });
  const done = (id: string) => send('done', { id });
  async function pass(ms: number): Promise<void> {
    flow.clock.advance(ms);
    await settled();
  }
  async function deploy(extra: object = {}): Promise<void> {
    await helper.setFlows([TAB, CHARACTER, lane(extra), ...around]);
    listen();
    await settled();
  }
  /** What came out since the last time, as `start chat`; of what is over, how. */
  const said = () =>
    seen.splice(0).map(({ topic, payload }) => {
      const { id, outcome = '' } = payload as { id: string; outcome?: string };
      return `${String(topic).replace('activity/', '')} ${id} ${outcome}`.trim();
    });

  afterEach(() => flow.unload());

  it('lets a voice interrupt a chat, which then goes on', async () => {
    await load();
    await claim('chat', 'MEDIUM');
    assert.deepEqual(said(), ['start chat']);
    await claim('voice', 'URGENT');
    assert.deepEqual(said(), ['pause chat', 'start voice']);
    await done('voice');
    assert.deepEqual(said(), ['done voice completed', 'resume chat']);
    await done('chat');
    assert.deepEqual(said(), ['done chat completed']);
  });

  it('goes by priority, whatever the order of the claims', async () => {
    await load();
    await send('hold', { held: true });
    for (const word of ['BACKGROUND', 'LOW', 'HIGH', 'MEDIUM']) await claim(word, word);
    assert.deepEqual(said(), []);
    await send('hold', { held: false });
    for (const word of ['HIGH', 'MEDIUM', 'LOW', 'BACKGROUND']) {
      assert.deepEqual(said().at(-1), `start ${word}`);
      await done(word);
    }
  });

  it('waits for what may not be interrupted', async () => {
    await load();
    await claim('stream', 'LOW', { interruptible: false });
    await claim('voice', 'URGENT');
    assert.deepEqual(said(), ['start stream']);
    await done('stream');
    assert.deepEqual(said(), ['done stream completed', 'start voice']);
  });

  it('says all that there is to know', async () => {
    await load();
    const begun = flow.clock.now();
    await send('', { id: 'a', kind: 'sing', priority: 4, key: 'song', args: { song: 'thriller' } });
    flow.clock.advance(100);
    flow
      .node('lane')
      .receive({ _msgid: 'm2', payload: { id: 'b', kind: 'say', name: 'Hello', priority: 1, cause: 'rest' } } as never);
    await settled();
    flow.clock.advance(50);
    await send('done', { id: 'b', outcome: 'failed' });
    const [, pause, start, ended, resume] = seen;
    assert.deepEqual(pause?.payload, {
      id: 'a',
      kind: 'sing',
      name: 'sing',
      priority: 'LOW',
      args: { song: 'thriller' },
      preempts: null,
      since: begun,
      cause: 'claim',
    });
    assert.deepEqual(start, {
      _msgid: 'm2',
      topic: 'activity/start',
      payload: {
        id: 'b',
        kind: 'say',
        name: 'Hello',
        priority: 'URGENT',
        args: undefined,
        preempts: 'a',
        since: begun + 100,
        cause: 'rest',
      },
    });
    assert.deepEqual(ended?.payload, {
      id: 'b',
      kind: 'say',
      name: 'Hello',
      key: null,
      priority: 'URGENT',
      outcome: 'failed',
      started_at: begun + 100,
      ended_at: begun + 150,
      cause: 'rest',
    });
    assert.deepEqual(resume?.payload, pause?.payload);
  });

  it('keeps its own arguments when a receiver changes those of a message', async () => {
    await load();
    flow.node('start').on('input', ({ payload }) => {
      (payload as { args?: Message }).args = Object.assign((payload as { args: Message }).args ?? {}, {
        song: 'other',
      });
    });
    await claim('sing', 'LOW', { args: { song: 'thriller' } });
    await claim('voice', 'URGENT');
    await done('voice');
    assert.deepEqual(payloadOf(seen.at(-1)).args, { song: 'thriller' });
  });

  it('may be told of the end while it says the start', async () => {
    await load();
    flow.node('start').on('input', ({ payload }) => {
      const { id } = payload as Message;
      if (id !== 'c') flow.node('lane').receive({ topic: 'done', payload: { id } } as never);
    });
    await send('hold', { held: true });
    for (const id of ['a', 'b', 'c', 'd']) await claim(id, 'LOW');
    await send('hold', { held: false });
    assert.deepEqual(said(), ['start a', 'done a completed', 'start b', 'done b completed', 'start c']);
  });

  it('makes an id where there is none', async () => {
    await load();
    await send(undefined, { kind: 'greet', priority: 'LOW' });
    const { id } = payloadOf(seen[0]);
    await done(String(id));
    assert.deepEqual(said().at(-1), `done ${id} completed`);
  });

  it('says since when it runs, not since when it has waited', async () => {
    await load();
    const begun = flow.clock.now();
    await claim('a', 'LOW');
    await claim('b', 'LOW');
    await pass(700);
    await done('a');
    assert.equal(payloadOf(seen.at(-1)).since, begun + 700);
  });

  it('drops what has waited for too long', async () => {
    await load();
    await claim('sing', 'LOW');
    flow.node('lane').receive({
      _msgid: 'm1',
      payload: { id: 'greet', kind: 'greet', priority: 'LOW', ttl_ms: 500 },
    } as never);
    await settled();
    await pass(499);
    assert.deepEqual(said(), ['start sing']);
    await pass(1);
    assert.deepEqual(
      seen.map((msg) => [msg._msgid !== 'm1', payloadOf(msg).outcome, payloadOf(msg).started_at]),
      [[true, 'expired', null]],
    );
    said();
    await done('sing');
    assert.deepEqual(said(), ['done sing completed']);
  });

  it('takes claims with the key of one that waits for that one', async () => {
    await load();
    await claim('sing', 'LOW');
    await claim('greet1', 'LOW', { key: 'greet' });
    await claim('greet2', 'LOW', { key: 'greet' });
    await done('sing');
    await done('greet1');
    assert.deepEqual(said(), ['start sing', 'done sing completed', 'start greet1', 'done greet1 completed']);
    assert.deepEqual(errors, []);
  });

  it('interrupts nobody, or refuses, where the claim wants it so', async () => {
    await load();
    await claim('chat', 'LOW');
    await claim('patient', 'URGENT', { policy: 'enqueue' });
    await claim('proud', 'URGENT', { policy: 'reject' });
    assert.deepEqual(said(), ['start chat']);
    assert.match(errors.join('\n'), /place/);
  });

  it('runs as many as it may', async () => {
    await load({ capacity: '2' });
    for (const id of ['a', 'b', 'c']) await claim(id, 'LOW');
    await done('a');
    assert.deepEqual(said(), ['start a', 'start b', 'done a completed', 'start c']);
  });

  it('gives another priority', async () => {
    await load();
    for (const id of ['a', 'b', 'c']) await claim(id, 'LOW');
    await send('priority', { id: 'c', priority: 2 });
    await send('priority', { id: 'nobody', priority: 2 });
    assert.deepEqual(said(), ['start a', 'pause a', 'start c']);
    assert.deepEqual(errors, []);
  });

  it('cancels one, some kinds, what has started, or all', async () => {
    await load();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await claim(id, 'LOW');
    said();
    await send('cancel', { id: 'b' });
    await send('cancel', { kinds: ['c', 'z'] });
    assert.deepEqual(said(), ['done b cancelled', 'done c cancelled']);
    await send('cancel', { waiting: false });
    assert.deepEqual(said(), ['cancel a', 'done a cancelled', 'start d']);
    await send('cancel', {});
    assert.deepEqual(said(), ['cancel d', 'done d cancelled', 'done e cancelled']);
  });

  it('says nothing of a late or an unknown end', async () => {
    await load();
    await claim('a', 'LOW');
    await send('cancel', { id: 'a' });
    said();
    await done('a');
    await done('nobody');
    assert.deepEqual([said(), errors], [[], []]);
  });

  it('cancels all when it is locked, and refuses claims until it is unlocked', async () => {
    await load();
    await claim('a', 'LOW');
    await claim('b', 'HIGH');
    await claim('c', 'LOW');
    said();
    await send('lock', { locked: true });
    assert.deepEqual(said().sort(), [
      'cancel a',
      'cancel b',
      'done a cancelled',
      'done b cancelled',
      'done c cancelled',
    ]);
    await claim('d', 'URGENT');
    assert.deepEqual(said(), []);
    assert.match(errors.join('\n'), /locked/);
    await send('lock', { locked: false });
    await claim('d', 'URGENT');
    assert.deepEqual(said(), ['start d']);
  });

  it('drains: refuses claims, and is complete once nothing is left', async () => {
    await load();
    await claim('a', 'LOW');
    await claim('b', 'LOW');
    let completed = false;
    flow.node('complete').on('input', ({ topic }) => {
      if (topic === 'drain') completed = true;
    });
    await send('drain', {});
    await claim('c', 'URGENT');
    assert.match(errors.join('\n'), /draining/);
    await done('a');
    assert.equal(completed, false);
    await done('b');
    assert.equal(completed, true);
    await send('hold', { held: false });
    await claim('c', 'URGENT');
    assert.deepEqual(said().at(-1), 'start c');
  });

  it('gives what is wrong with a message to a catch node, and changes nothing', async () => {
    await load();
    const bad: [string | undefined, unknown, RegExp][] = [
      [undefined, undefined, /claim.*missing/],
      ['claim', 'sing', /claim/],
      ['claim', { priority: 'LOW' }, /kind.*missing/],
      ['claim', { kind: 'sing' }, /priority.*missing/],
      ['claim', { kind: 'sing', priority: 'low' }, /priority.*URGENT/],
      ['claim', { kind: 'sing', priority: 0 }, /priority/],
      ['claim', { kind: 'sing', priority: 'LOW', ttl_ms: -1 }, /ttl_ms/],
      ['claim', { kind: 'sing', priority: 'LOW', ttl: 5 }, /ttl.*known/],
      ['claim', { kind: 'sing', priority: 'LOW', policy: 'shout' }, /policy/],
      ['claim', { id: 'a', kind: 'sing', priority: 'LOW' }, /lives/],
      ['done', {}, /id.*missing/],
      ['done', { id: 'a', outcome: 'expired' }, /outcome/],
      ['cancel', 1_700_000_000_000, /cancel/],
      ['cancel', { kind: 'sing' }, /kind/],
      ['priority', { id: 'a', priority: 6 }, /priority/],
      ['lock', {}, /locked/],
      ['hold', { held: 'yes' }, /held/],
      ['dance', {}, /dance/],
    ];
    await claim('a', 'LOW');
    await claim('b', 'LOW');
    said();
    for (const [topic, payload, words] of bad) {
      await send(topic, payload);
      assert.match(errors.pop() ?? '', words);
    }
    assert.deepEqual(said(), []);
    await done('a');
    assert.deepEqual(said(), ['done a completed', 'start b']);
  });

  it('shows what runs, how many wait and are paused, at most five times a second', async () => {
    await load();
    const shown: unknown[] = [];
    const told: NodeJS.EventEmitter = flow.node('lane');
    told.on('call:status', ({ firstArg }: { firstArg: unknown }) => void shown.push(firstArg));
    await claim('a', 'LOW');
    for (let n = 0; n < 20; n += 1) {
      flow.clock.advance(30);
      await claim(`b${n}`, 'LOW');
    }
    await claim('c', 'HIGH');
    await pass(200);
    const words = 'skull-priority.status';
    assert.deepEqual(shown.at(-1), { fill: 'green', shape: 'dot', text: `c · ${words}.waiting · ${words}.paused` });
    assert.ok(shown.length <= 4, `${shown.length} in 0.8 s`);
    await send('lock', { locked: true });
    await pass(200);
    assert.deepEqual(shown.at(-1), { fill: 'red', shape: 'ring', text: `${words}.locked` });
    await send('lock', { locked: false });
    await send('hold', { held: true });
    await pass(200);
    assert.deepEqual(shown.at(-1), { fill: 'yellow', shape: 'ring', text: `${words}.held` });
  });

  describe('a deploy', () => {
    it('leaves what runs, waits and is paused as it is', async () => {
      await load();
      await claim('a', 'LOW');
      await claim('b', 'HIGH');
      await claim('c', 'LOW', { ttl_ms: 1000 });
      said();
      await deploy({ name: 'changed' });
      assert.deepEqual(said(), []);
      await pass(1000);
      await done('b');
      assert.deepEqual(said(), ['done c expired', 'done b completed', 'resume a']);
    });

    it('loses nothing that comes or happens in between', async () => {
      await load();
      await claim('a', 'LOW');
      await claim('b', 'LOW', { ttl_ms: 1000 });
      said();
      await flow.node('lane').close(false);
      flow.clock.advance(1000);
      await deploy();
      await deploy();
      assert.deepEqual(said(), ['done b expired']);
    });

    it('that changes how many may run cancels all, and keeps the lock and the hold', async () => {
      await load();
      await claim('a', 'LOW');
      await claim('b', 'LOW');
      said();
      await deploy({ capacity: 2 });
      assert.deepEqual(said(), ['cancel a', 'done a cancelled', 'done b cancelled']);
      await send('lock', { locked: true });
      await send('hold', { held: true });
      await deploy({ capacity: 3 });
      await claim('c', 'LOW');
      assert.match(errors.join('\n'), /locked/);
      await send('lock', { locked: false });
      await claim('c', 'LOW');
      assert.deepEqual(said(), []);
      await send('hold', { held: false });
      assert.deepEqual(said(), ['start c']);
    });

    it('that removes the node cancels all without a word', async () => {
      await load();
      await claim('a', 'LOW');
      await claim('b', 'LOW', { ttl_ms: 1000 });
      said();
      await deploy();
      await helper.setFlows([TAB, CHARACTER, ...around]);
      listen();
      await settled();
      assert.equal(flow.clock.pending, 0);
      await deploy();
      await claim('a', 'LOW');
      assert.deepEqual(said(), ['start a']);
    });
  });

  it('loses nothing that comes before the flows have started', async () => {
    seen = [];
    errors = [];
    // A node that speaks as soon as it is made.
    const hasty = (RED: NodeAPI) => {
      RED.nodes.registerType('hasty', function (this: Node, def: NodeDef) {
        RED.nodes.createNode(this, def);
        helper.getNode('lane').receive({ payload: { id: 'early', kind: 'early', priority: 1 } } as never);
      });
    };
    const spy = (RED: NodeAPI) => {
      RED.nodes.registerType('spy', function (this: Node, def: NodeDef) {
        RED.nodes.createNode(this, def);
        this.on('input', (msg) => void seen.push(msg as never));
      });
    };
    flow = await loadFlow(
      [skullPriority, hasty, spy],
      [
        lane({ wires: [['late'], [], [], [], []] }),
        { id: 'hasty', type: 'hasty', wires: [], ...place },
        { id: 'late', type: 'spy', ...place },
      ],
    );
    await settled();
    assert.deepEqual(said(), ['start early']);
  });

  it('is the lane of its character, for as long as it is there', async () => {
    await load({ character: 'skull' });
    flow.character.lane?.claim({ id: 'rest', kind: 'say', priority: 'HIGH' });
    await settled();
    assert.deepEqual(said(), ['start rest']);
    await flow.node('lane').close(true);
    assert.equal(flow.character.lane, undefined);
  });

  it('does not work with settings that make no sense', async () => {
    for (const settings of [{ capacity: 0 }, { capacity: 'many' }, { character: 'nobody' }]) {
      await load(settings);
      await claim('a', 'LOW');
      assert.deepEqual(said(), []);
      await flow.unload();
    }
    await load();
  });
});
