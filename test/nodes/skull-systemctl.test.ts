import assert from 'node:assert/strict';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import helper from 'node-red-node-test-helper';
import { SkullError } from '../../core/model/errors.ts';
import skullSystemctl from '../../nodes/skull-systemctl/skull-systemctl.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { MemoryManager } from '../support/manager.ts';
import { settled } from '../support/settled.ts';

type Message = Record<string, unknown>;

const place = { z: 'tab', x: 0, y: 0 };
const words = 'skull-systemctl.status';
const systemctl = (extra: object): FlowNode => ({
  id: 'systemctl',
  type: 'skull-systemctl',
  verb: '',
  service: '',
  wires: [['done'], ['failed']],
  ...place,
  ...extra,
});
const around: FlowNode[] = [
  ...['done', 'failed', 'errors', 'complete'].map((id) => ({ id, type: 'helper', ...place })),
  { id: 'caught', type: 'catch', wires: [['errors']], ...place },
  { id: 'completed', type: 'complete', scope: ['systemctl'], wires: [['complete']], ...place },
];
/** Node-RED hands the test's nodes their status texts as keys. */
const shownBy = (node: NodeJS.EventEmitter) => {
  const shown: unknown[] = [];
  node.on('call:status', ({ firstArg }: { firstArg: unknown }) => void shown.push(firstArg));
  return shown;
};

describe('skull-systemctl', () => {
  let flow: LoadedFlow;
  let manager: MemoryManager;
  let seen: Message[];
  let errors: SkullError[];
  let completed: number;

  function listen(): void {
    for (const output of ['done', 'failed']) flow.node(output).on('input', (msg) => void seen.push(msg as never));
    flow.node('errors').on('input', (msg) => void errors.push((msg as unknown as { error: SkullError }).error));
    flow.node('complete').on('input', () => void completed++);
  }
  async function load(extra: object = {}, { managed = true } = {}): Promise<void> {
    flow = await loadFlow([skullSystemctl], [systemctl(extra), ...around], { services: managed ? manager : undefined });
    listen();
    await settled();
  }
  async function send(message: Message): Promise<void> {
    flow.node('systemctl').receive(message as never);
    await settled();
  }
  const deploy = async (...nodes: FlowNode[]) => {
    await helper.setFlows([{ id: 'tab', type: 'tab' }, CHARACTER, ...nodes, ...around]);
    listen();
    await settled();
  };

  beforeEach(() => {
    manager = new MemoryManager();
    seen = [];
    errors = [];
    completed = 0;
  });
  afterEach(() => flow.unload());

  it('does what the message says, and tells what came of it', async () => {
    await load();
    await send({ _msgid: 'm1', topic: 'stop', payload: { service: 'motion' }, ticket: 7 });
    await send({ topic: 'start', payload: 'motion' });
    await send({ topic: 'restart', payload: 'ai' });
    assert.deepEqual(manager.jobs, ['stop motion', 'start motion', 'restart ai']);
    assert.deepEqual(seen[0], {
      _msgid: 'm1',
      topic: 'stop',
      payload: { service: 'motion', state: 'stopped' },
      ticket: 7,
    });
    assert.deepEqual(
      seen.slice(1).map(({ topic, payload }) => ({ topic, payload })),
      [
        { topic: 'start', payload: { service: 'motion', state: 'running' } },
        { topic: 'restart', payload: { service: 'ai', state: 'running' } },
      ],
    );
    assert.equal(completed, 3);
    assert.deepEqual(errors, []);
  });

  it('tells how a unit is without asking anybody', async () => {
    await load();
    manager.move('voice', 'failed');
    await send({ topic: 'status', payload: 'voice' });
    assert.deepEqual(seen[0]?.payload, { service: 'voice', state: 'failed' });
    assert.deepEqual(manager.jobs, []);
  });

  it('lets what is fixed win over the message', async () => {
    await load({ verb: 'restart', service: 'voice' });
    await send({ topic: 'stop', payload: { service: 'motion' } });
    await send({});
    assert.deepEqual(manager.jobs, ['restart voice', 'restart voice']);
  });

  it('asks nobody for another service or another order', async () => {
    await load();
    const strangers: unknown[] = [
      'ssh',
      'skull-motion.service',
      'motion;reboot',
      '../x',
      'motion ',
      'Motion',
      'mоtion',
      '',
      null,
      undefined,
      ['motion'],
      { service: ['motion'] },
      { service: 'motion\n' },
      { name: 'motion' },
      'constructor',
    ];
    for (const payload of strangers) await send({ topic: 'stop', payload });
    for (const topic of ['kill', 'reload', 'STOP', '', undefined, 'stop ', ['stop'], 'daemon-reload'])
      await send({ topic, payload: 'motion' });
    assert.deepEqual(manager.jobs, []);
    assert.deepEqual(seen, []);
    assert.equal(errors.length, strangers.length + 8);
    for (const error of errors) assert.match(String(error.message), /must be one of/);
    assert.equal(completed, 0);
  });

  it('refuses settings that name a stranger, too', async () => {
    await load({ verb: 'start', service: 'ssh' });
    await send({ topic: 'start', payload: 'motion' });
    assert.deepEqual([manager.jobs, seen, errors.length], [[], [], 1]);
  });

  it('tells a failed job on its second output and to catch', async () => {
    await load();
    manager.carryOut = () => {
      throw new SkullError('forbidden', 'Not allowed here.');
    };
    await send({ _msgid: 'm2', topic: 'restart', payload: 'motion' });
    assert.deepEqual(seen, [
      {
        _msgid: 'm2',
        topic: 'failed',
        payload: { service: 'motion', verb: 'restart', code: 'forbidden', message: 'Not allowed here.' },
      },
    ]);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['SkullError: Not allowed here.'],
    );
    assert.equal(completed, 0);
  });

  it('says that there is no manager', async () => {
    await load({}, { managed: false });
    await send({ topic: 'start', payload: 'motion' });
    assert.match(JSON.stringify(seen[0]?.payload), /"code":"unavailable"/);
    assert.equal(errors.length, 1);
  });

  it('shows the unit of its service as it changes', async () => {
    await load({ service: 'motion' });
    const shown = shownBy(flow.node('systemctl'));
    manager.move('voice', 'failed');
    manager.move('motion', 'stopping');
    manager.move('motion', 'failed');
    manager.setConnected(false);
    manager.setConnected(true);
    await settled();
    assert.deepEqual(shown, [
      { fill: 'yellow', shape: 'ring', text: `${words}.stopping` },
      { fill: 'red', shape: 'dot', text: `${words}.failed` },
      { fill: 'red', shape: 'ring', text: `${words}.disconnected` },
      { fill: 'red', shape: 'dot', text: `${words}.failed` },
    ]);
  });

  it('shows the last job where no service is its own', async () => {
    await load();
    const shown = shownBy(flow.node('systemctl'));
    manager.move('voice', 'failed');
    await send({ topic: 'restart', payload: 'motion' });
    manager.carryOut = () => {
      throw new SkullError('timeout', 'No answer.');
    };
    await send({ topic: 'stop', payload: 'motion' });
    assert.deepEqual(shown, [
      { fill: 'yellow', shape: 'ring', text: `${words}.restart` },
      { fill: 'green', shape: 'dot', text: `${words}.running` },
      { fill: 'yellow', shape: 'ring', text: `${words}.stop` },
      { fill: 'red', shape: 'ring', text: `${words}.refused` },
    ]);
  });

  describe('a deploy', () => {
    it('loses no result', async () => {
      await load();
      let finish = () => {};
      manager.carryOut = () =>
        new Promise((resolve) => {
          finish = resolve;
        });
      await send({ topic: 'restart', payload: 'motion' });
      await flow.node('systemctl').close(false);
      finish();
      await settled();
      assert.deepEqual(seen, []);
      await deploy(systemctl({ name: 'changed' }));
      assert.deepEqual(
        seen.map(({ payload }) => payload),
        [{ service: 'motion', state: 'running' }],
      );
    });

    it('that removes the node leaves nobody listening', async () => {
      await load({ service: 'motion' });
      assert.equal(manager.listeners, 2);
      await deploy();
      assert.equal(manager.listeners, 0);
    });
  });

  it('answers whoever asks before the flows have started', async () => {
    const hasty = (RED: NodeAPI) => {
      RED.nodes.registerType('hasty', function (this: Node, def: NodeDef) {
        RED.nodes.createNode(this, def);
        helper.getNode('systemctl').receive({ topic: 'restart', payload: 'motion' } as never);
      });
    };
    const spy = (RED: NodeAPI) => {
      RED.nodes.registerType('spy', function (this: Node, def: NodeDef) {
        RED.nodes.createNode(this, def);
        this.on('input', (msg) => void seen.push(msg as never));
      });
    };
    flow = await loadFlow(
      [skullSystemctl, hasty, spy],
      [
        systemctl({ wires: [['late'], []] }),
        { id: 'hasty', type: 'hasty', wires: [], ...place },
        { id: 'late', type: 'spy', ...place },
      ],
      { services: manager },
    );
    await settled();
    assert.deepEqual(
      seen.map(({ payload }) => payload),
      [{ service: 'motion', state: 'running' }],
    );
  });
});
