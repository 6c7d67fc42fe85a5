import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import helper from 'node-red-node-test-helper';
import type { Character } from '../../core/skull/character.ts';
import skullFsm from '../../nodes/skull-fsm/skull-fsm.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';

type Message = Record<string, unknown>;

const definition = {
  id: 'door',
  initial: 'Closed',
  context: { mode: 'day', latch: false, n: 0 },
  persist: ['latch'],
  entry: [{ command: 'boot', payload: '=context.latch' }],
  states: {
    Closed: {
      on: {
        push: {
          target: 'Open',
          guard: 'event.force > config.limit',
          actions: [
            { assign: { n: 'context.n + 1', latch: 'true' } },
            { command: 'motor', payload: { force: '=event.force' }, retain: true, qos: 1 },
            { command: 'lamp', payload: 'on' },
          ],
        },
        look: { actions: [{ command: 'looked', payload: '=context.n' }] },
      },
    },
    Open: { on: { push: { target: 'Closed' } }, after: [{ delay: 'config.open_ms', target: 'Closed' }] },
  },
};
const config = { limit: 5, open_ms: 1000 };

const fsm = (extra: Message = {}): FlowNode => ({
  id: 'fsm',
  type: 'skull-fsm',
  z: 'tab',
  name: 'door',
  definition,
  config,
  wires: [['states'], ['commands'], ['records']],
  ...extra,
});
const around = (): FlowNode[] => [
  { id: 'tab', type: 'tab', label: 'Door' },
  ...['states', 'commands', 'records'].map((id) => ({ id, type: 'helper', z: 'tab' })),
];

describe('skull-fsm', () => {
  let flow: LoadedFlow;
  let seen: [string, Message][];

  const listen = () => {
    for (const id of ['states', 'commands', 'records']) {
      flow.node(id).on('input', (msg) => void seen.push([id, msg as never]));
    }
  };
  async function load(extra: Message = {}): Promise<void> {
    seen = [];
    flow = await loadFlow([skullFsm], [fsm(extra), ...around()]);
    listen();
    await settled();
  }
  /** Node-RED hands messages on with setImmediate; this is after all of them. */
  async function settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  async function send(msg: Message): Promise<void> {
    flow.node('fsm').receive(msg as never);
    await settled();
  }
  const drain = () => seen.splice(0).map(([id, { topic, payload }]) => [id, topic, payload]);
  const push = { topic: 'push', payload: { force: 9 } };

  afterEach(() => flow.unload());

  it('sends its state and its first commands once everything is there to receive them', async () => {
    await load();
    assert.deepEqual(drain().slice(0, 2), [
      ['states', 'state', 'Closed'],
      ['commands', 'boot', false],
    ]);
  });

  it('sends the state, then the commands, then the record', async () => {
    await load({ stateTopic: 'orchestrator/state' });
    drain();
    await send({ ...push, _msgid: 'm1' });
    const [state, motor, lamp, record] = seen;
    assert.deepEqual(
      seen.map(([id]) => id),
      ['states', 'commands', 'commands', 'records'],
    );
    assert.deepEqual(state?.[1], { topic: 'orchestrator/state', payload: 'Open', retain: true, _msgid: 'm1' });
    assert.deepEqual(motor?.[1], { topic: 'motor', payload: { force: 9 }, retain: true, qos: 1, _msgid: 'm1' });
    assert.deepEqual(lamp?.[1], { topic: 'lamp', payload: 'on', _msgid: 'm1' });
    const { from, to, event, changed, commands } = (record?.[1].payload ?? {}) as Message;
    assert.deepEqual({ from, to, event, changed }, { from: 'Closed', to: 'Open', event: 'push', changed: true });
    assert.equal((commands as unknown[]).length, 2);
  });

  it('traces all to the message that began it, also when that comes back before all is sent', async () => {
    await load();
    drain();
    const node = flow.node('fsm');
    const sendOn = node.send.bind(node);
    let comesBack = true;
    node.send = (msg) => {
      if (comesBack) {
        comesBack = false;
        node.receive({ ...push, _msgid: 'm1' });
      }
      sendOn(msg);
    };
    await send({ ...push, _msgid: 'm1' });
    assert.deepEqual(
      seen.map(([id, { _msgid }]) => [id, _msgid]),
      ['states', 'commands', 'commands', 'records', 'states', 'records'].map((id) => [id, 'm1']),
    );
  });

  it('gives each message to one receiver only', async () => {
    await load();
    seen.splice(0);
    const payload = { force: 9 };
    flow.node('commands').on('input', (msg) => {
      (msg.payload as Message).force = 'changed';
    });
    await send({ topic: 'push', payload });
    const record = seen.find(([id]) => id === 'records')?.[1].payload as { payload: Message; commands: Message[] };
    assert.deepEqual(record.payload, { force: 9 });
    assert.deepEqual(record.commands[0]?.payload, { force: 9 });
    assert.notEqual(record.payload, payload);
  });

  it('sends commands that are for somebody inside on outputs of their own', async () => {
    const claiming = {
      ...definition,
      outputs: ['lane', 'lamp'],
      entry: [
        { command: 'on', to: 'lamp' },
        { command: 'claim', to: 'lane', payload: { n: '=context.n' } },
        { command: 'outside' },
      ],
    };
    const wires = [[], ['commands'], [], ['states'], ['records']];
    await load({ definition: claiming, wires });
    assert.deepEqual(drain(), [
      ['records', 'on', ''],
      ['states', 'claim', { n: 0 }],
      ['commands', 'outside', ''],
    ]);
  });

  it('sends no state where it does not change, and nothing where nothing happens', async () => {
    await load();
    drain();
    await send({ topic: 'look' });
    assert.deepEqual(
      drain().map(([id, topic]) => [id, topic]),
      [
        ['commands', 'looked'],
        ['records', 'transition'],
      ],
    );
    await send({ topic: 'push', payload: { force: 1 } });
    await send({ topic: 'nothing' });
    assert.deepEqual(drain(), []);
  });

  it('moves by its delays', async () => {
    await load();
    await send(push);
    drain();
    flow.clock.advance(1000);
    await settled();
    assert.deepEqual(drain()[0], ['states', 'state', 'Closed']);
  });

  it('answers query, snapshot, restore and reset', async () => {
    await load();
    await send(push);
    flow.clock.advance(400);
    drain();
    await send({ control: 'query' });
    assert.deepEqual(drain(), [['states', 'state', 'Open']]);
    await send({ control: 'snapshot' });
    const snapshot = {
      id: 'door',
      state: 'Open',
      context: { mode: 'day', latch: true, n: 1 },
      timers: [{ state: 'Open', after: 0, remaining: 600 }],
    };
    assert.deepEqual(drain(), [['records', 'snapshot', snapshot]]);
    await send({ control: 'reset' });
    assert.deepEqual(drain().slice(0, 2), [
      ['states', 'state', 'Closed'],
      ['commands', 'boot', true],
    ]);
    await send({ control: 'restore', payload: snapshot });
    assert.deepEqual(drain()[0], ['states', 'state', 'Open']);
    flow.clock.advance(600);
    await settled();
    assert.deepEqual(drain()[0], ['states', 'state', 'Closed']);
  });

  for (const [what, msg, message] of [
    ['no topic', { payload: 1 }, /msg.topic must be/],
    ['a topic that is no text', { topic: 5 }, /msg.topic must be/],
    ['an unknown control', { control: 'dance' }, /msg.control must be .*not "dance"/],
    ['a snapshot that is none', { control: 'restore', payload: { state: 'Closed' } }, /snapshot is invalid/],
  ] as const) {
    it(`fails a message with ${what}, for Catch`, async () => {
      await load();
      const failed = once(flow.node('fsm'), 'call:error') as Promise<[{ args: [Error, Message] }]>;
      await send({ ...msg, mark: 'mine' });
      const [{ args }] = await failed;
      assert.match(String(args[0]), message);
      assert.equal(args[1].mark, 'mine');
    });
  }

  describe('with a broken definition', () => {
    const broken = { ...definition, initial: 'Nowhere', on: { x: { guard: 'evnt.y' } } };

    it('names the places, shows red, and lives on', async () => {
      await load({ definition: broken });
      const { node } = flow;
      const errors = (node('fsm') as unknown as { error: { firstCall: { args: unknown[] } } }).error;
      assert.match(
        String(errors.firstCall.args[0]),
        /^skull-fsm door: \/initial: there is no state "Nowhere"; \/on\/x\/guard: Unknown variable: evnt/,
      );
      const shown = (node('fsm') as unknown as { status: { lastCall: { args: unknown[] } } }).status.lastCall.args[0];
      assert.deepEqual(shown, { fill: 'red', shape: 'ring', text: 'skull-fsm.status.invalid' });
      const failed = once(node('fsm'), 'call:error') as Promise<[{ args: [Error] }]>;
      await send(push);
      assert.match(String((await failed)[0].args[0]), /does not run/);
      assert.deepEqual(drain(), []);
    });

    it('takes JSON text as well, and says where it is no JSON', async () => {
      await load({ definition: JSON.stringify(definition), config: JSON.stringify(config) });
      await send(push);
      assert.ok(seen.some(([, { payload }]) => payload === 'Open'));
    });
  });

  it('shows its state, at most five times a second, and always the last one', async () => {
    await load();
    const { status } = flow.node('fsm') as unknown as { status: { args: [{ text: string; shape: string }][] } };
    await send(push);
    for (let turn = 0; turn < 20; turn += 1) await send(push);
    assert.deepEqual(
      status.args.map(([{ text }]) => text),
      ['Closed'],
    );
    flow.clock.advance(200);
    assert.deepEqual(status.args.at(-1), [{ fill: 'green', shape: 'dot', text: 'Open' }]);
    assert.equal(status.args.length, 2);
  });

  describe('what persists', () => {
    const document = () => path.join(flow.home, 'data', 'fsm-fsm.json');

    it('is written when it changes', async () => {
      await load();
      await send(push);
      await flow.node('fsm').close();
      assert.deepEqual(JSON.parse(readFileSync(document(), 'utf8')), { latch: true });
    });

    it('is there again before the first command', async () => {
      await load();
      mkdirSync(path.join(flow.home, 'data'), { recursive: true });
      writeFileSync(document(), '{"latch": true, "n": 5}');
      drain();
      await helper.setFlows([CHARACTER, fsm({ definition: { ...definition, description: 'new' } }), ...around()]);
      listen();
      await settled();
      assert.deepEqual(drain().slice(0, 2), [
        ['states', 'state', 'Closed'],
        ['commands', 'boot', true],
      ]);
      await send({ topic: 'look' });
      assert.deepEqual(drain()[0], ['commands', 'looked', 0]);
    });

    it('is set aside when it is broken', async () => {
      await load();
      mkdirSync(path.join(flow.home, 'data'), { recursive: true });
      writeFileSync(document(), '{"latch"');
      await helper.setFlows([CHARACTER, fsm({ definition: { ...definition, description: 'new' } }), ...around()]);
      listen();
      drain();
      await send({ control: 'query' });
      assert.ok(seen.some(([, { payload }]) => payload === 'Closed'));
      const [aside] = readdirSync(path.dirname(document())).filter((name) => name.includes('.broken-'));
      assert.equal(readFileSync(path.join(flow.home, 'data', aside ?? ''), 'utf8'), '{"latch"');
    });
  });

  describe('a deploy', () => {
    const deploy = async (node: FlowNode) => {
      await helper.setFlows([CHARACTER, node, ...around()]);
      listen();
      await settled();
    };

    it('that leaves the definition alone does not reset the machine, nor its delay', async () => {
      await load();
      await send(push);
      flow.clock.advance(700);
      await deploy(fsm({ name: 'renamed', x: 5 }));
      assert.deepEqual(drain().at(-2), ['states', 'state', 'Open']);
      flow.clock.advance(300);
      await settled();
      assert.equal(drain()[0]?.[2], 'Closed');
    });

    it('with another definition begins anew', async () => {
      await load();
      await send(push);
      drain();
      await deploy(fsm({ definition: { ...definition, description: 'changed' } }));
      assert.deepEqual(drain()[0], ['states', 'state', 'Closed']);
    });

    it('that removes the node forgets where it stood, and leaves nothing behind', async () => {
      await load();
      await send(push);
      await helper.setFlows([CHARACTER, ...around()]);
      assert.equal(flow.clock.pending, 0);
      await deploy(fsm());
      assert.deepEqual(drain().at(-3), ['states', 'state', 'Closed']);
    });
  });

  describe('the editor', () => {
    interface Asked extends Promise<{ status: number; body: Message }> {
      send(body: object): Asked;
    }
    const ask = () => helper.request() as { get(url: string): Asked; post(url: string): Asked };

    it('has a definition checked and drawn, as far as it can be', async () => {
      await load();
      const { body } = await ask().post('/skull-fsm/check').send({ definition });
      assert.deepEqual([body.issues, body.warnings], [[], []]);
      assert.match(String(body.mermaid), /^stateDiagram-v2\n/);
      const wrong = { ...definition, on: { x: { target: 'Nowhere' } } };
      const { body: second } = await ask().post('/skull-fsm/check').send({ definition: wrong });
      assert.deepEqual(second.issues, [{ path: '/on/x/target', message: 'there is no state "Nowhere"' }]);
      assert.match(String(second.mermaid), /"Open"/);
      const { body: third } = await ask().post('/skull-fsm/check').send({ definition: '{' });
      assert.equal((third.issues as unknown[]).length, 1);
      assert.equal(third.mermaid, '');
    });

    it('is told where a node stands', async () => {
      await load();
      await send(push);
      const { body } = await ask().get('/skull-fsm/state/fsm');
      assert.equal(body.state, 'Open');
      assert.match(String(body.mermaid), /class s1 current/);
      assert.equal((await ask().get('/skull-fsm/state/constructor')).status, 404);
    });
  });

  describe('with a character', () => {
    const body = () => fsm({ character: 'skull', definition: { ...definition, context: { ...definition.context } } });

    it('is its body until it closes', async () => {
      seen = [];
      flow = await loadFlow([skullFsm], [body(), ...around()]);
      await settled();
      assert.equal(flow.character.body?.state, 'Closed');
      await flow.node('fsm').close();
      assert.equal(flow.character.body, undefined);
    });

    it('sees its configuration over the own one', async () => {
      seen = [];
      const states = {
        A: { on: { go: { actions: [{ command: 'x', payload: '=[config.own, config.vision.threshold]' }] } } },
      };
      const seeing = {
        definition: { id: 'x', initial: 'A', states },
        config: { own: 1, vision: { threshold: 'own' } },
      };
      flow = await loadFlow([skullFsm], [{ ...body(), ...seeing }, ...around()]);
      listen();
      flow.character.config.merge('vision', { threshold: 0.25 }, 'rest');
      await send({ topic: 'go' });
      assert.deepEqual(drain().find(([id]) => id === 'commands')?.[2], [1, 0.25]);
    });

    it('tells each change as an event', async () => {
      seen = [];
      flow = await loadFlow([skullFsm], [body(), ...around()]);
      const events: unknown[] = [];
      flow.character.events.onEvent(({ kind, subject, cause, data }) => events.push({ kind, subject, cause, data }));
      await send({ topic: 'look' });
      await send(push);
      assert.deepEqual(events, [
        { kind: 'transition', subject: 'door', cause: 'push', data: { from: 'Closed', to: 'Open', mode: 'day' } },
      ]);
    });

    it('lends it what is wrong with its memory', async () => {
      seen = [];
      flow = await loadFlow([skullFsm], [body(), ...around()]);
      assert.deepEqual(flow.character.problems(), []);
      await flow.node('fsm').close();
      writeFileSync(path.join(flow.home, 'data', 'fsm-fsm.json'), '{"latch"');
      const safe = { ...definition, unreadable: { latch: true } };
      await helper.setFlows([CHARACTER, { ...body(), definition: safe }, ...around()]);
      await settled();
      const { character } = flow.node('skull') as unknown as { character: Character };
      assert.equal(character.body?.context.latch, true);
      assert.match(character.problems().join(), /fsm-fsm\.json was broken/);
    });

    it('does not run without the one it is meant for', async () => {
      await load({ character: 'nobody' });
      assert.deepEqual(drain(), []);
    });
  });
});
