import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import helper from 'node-red-node-test-helper';
import type { EventRecord } from '../../core/model/event.ts';
import { DEFAULTS, SECTION_NAMES } from '../../core/skull/config/sections.ts';
import skullCommand from '../../nodes/skull-command/skull-command.ts';
import skullConfigSync from '../../nodes/skull-config-sync/skull-config-sync.ts';
import skullSignal from '../../nodes/skull-signal/skull-signal.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';

const TAB = readFileSync(path.resolve(import.meta.dirname, '../../flows/020-config.json'), 'utf8');
/**
 * The versioned tab itself, with a node at the second output and one that catches errors. Reversed: what is sent at
 * start must also reach nodes that are made later.
 */
const nodes: FlowNode[] = [
  ...(JSON.parse(TAB) as FlowNode[])
    .filter(({ type }) => type !== 'comment')
    .map((node) => (node.id === 'config-sync' ? { ...node, wires: [['config-out'], ['changes']] } : node))
    .reverse(),
  { id: 'changes', type: 'helper', z: 'config-tab' },
  { id: 'config-catch', type: 'catch', z: 'config-tab', scope: null, wires: [['caught']] },
  { id: 'caught', type: 'helper', z: 'config-tab' },
];

/** Long enough for every message on its way through the flow to have arrived. */
const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
};

describe('skull-config-sync', () => {
  let flow: LoadedFlow;
  let records: EventRecord[];
  const ours = () => flow.character.config;
  const held = () => new Map(flow.link.published.map(({ topic, payload }) => [topic, payload]));
  /** What was published since the last call: topic and, parsed, payload. */
  const told = async () => {
    await settled();
    return flow.link.published.splice(0).map(({ topic, payload }) => [topic, payload && JSON.parse(payload)]);
  };
  const load = async (flowNodes: FlowNode[] = nodes) => {
    flow = await loadFlow([skullConfigSync, skullSignal, skullCommand], flowNodes);
    records = [];
    flow.character.events.onEvent((event) => records.push(event));
    await settled();
  };
  const started = async () => {
    await load();
    flow.link.published.length = 0;
  };
  afterEach(() => flow.unload());

  it('publishes every section, each servo’s limits and the AI’s configuration at start, retained, once', async () => {
    await load();
    const topics = flow.link.published.map(({ topic }) => topic).sort();
    assert.deepEqual(
      topics,
      [
        ...SECTION_NAMES.map((section) => `skull/config/${section}`),
        'ai/config',
        'motion/servo/jaw/limits',
        'motion/servo/pan/limits',
        'motion/servo/tilt/limits',
      ].sort(),
    );
    assert(flow.link.published.every(({ retain, qos }) => retain === true && qos === 1));
    assert.deepEqual(JSON.parse(held().get('skull/config/accueil') ?? ''), DEFAULTS.accueil);
    assert.deepEqual(JSON.parse(held().get('motion/servo/jaw/limits') ?? ''), { min: 0, max: 40, center: 0 });
    assert.deepEqual(JSON.parse(held().get('ai/config') ?? ''), DEFAULTS.ia);
    assert.deepEqual(records, []);
  });

  it('publishes a change through REST or the file, tells it, and keeps it as an event', async () => {
    await started();
    const change = flow.next('changes');
    ours().merge('vision', { threshold: 0.7 }, 'rest');
    const value = { ...DEFAULTS.vision, threshold: 0.7 };
    assert.deepEqual(await told(), [['skull/config/vision', value]]);
    const { topic, payload } = await change;
    assert.deepEqual([topic, payload], ['config', { section: 'vision', value, source: 'rest' }]);
    const [record, ...more] = records;
    assert.deepEqual(
      [record?.kind, record?.subject, record?.cause, record?.data, more],
      ['config', 'vision', 'rest', { threshold: 0.7 }, []],
    );
    ours().merge('vision', { threshold: 0.8 }, 'file');
    assert.deepEqual((await told()).length, 1);
  });

  it('publishes the limits of the servos that changed, and empties those of one that went', async () => {
    await started();
    ours().merge('motion', { servos: { jaw: { max: 30 }, tilt: null } }, 'rest');
    const [, ...derived] = await told();
    assert.deepEqual(derived, [
      ['motion/servo/jaw/limits', { min: 0, max: 30, center: 0 }],
      ['motion/servo/tilt/limits', ''],
    ]);
    flow.link.deliver('skull/config/motion', JSON.stringify(DEFAULTS.motion), { retain: true });
    assert.deepEqual(
      (await told()).map(([topic]) => topic),
      ['motion/servo/jaw/limits', 'motion/servo/tilt/limits'],
    );
    ours().merge('ia', { model: 'large' }, 'rest');
    assert.deepEqual(await told(), [
      ['skull/config/ia', { ...DEFAULTS.ia, model: 'large' }],
      ['ai/config', { ...DEFAULTS.ia, model: 'large' }],
    ]);
  });

  describe('when a section comes in', () => {
    const gaze = { enabled: true, track_ms: 900, smoothing: 0.3 };

    it('takes it, and is silent when the broker already holds it', async () => {
      await started();
      const change = flow.next('changes');
      flow.link.deliver('skull/config/gaze', JSON.stringify(gaze), { retain: true });
      assert.deepEqual((await change).payload, { section: 'gaze', value: gaze, source: 'mqtt' });
      assert.deepEqual(ours().get('gaze'), gaze);
      assert.deepEqual(await told(), []);
      assert.deepEqual(
        records.map(({ subject, cause, data }) => [subject, cause, data]),
        [['gaze', 'mqtt', { track_ms: 900 }]],
      );
      await ours().flush();
      assert.deepEqual(JSON.parse(readFileSync(path.join(flow.home, 'config/gaze.json'), 'utf8')), gaze);
    });

    it('publishes it, once, when the broker was not asked to hold it', async () => {
      await started();
      flow.link.deliver('skull/config/gaze', JSON.stringify(gaze));
      assert.deepEqual(await told(), [['skull/config/gaze', gaze]]);
      flow.link.deliver('skull/config/gaze', JSON.stringify(gaze));
      assert.deepEqual(await told(), [], 'the broker holds it by now');
      assert.equal(records.length, 1);
    });

    it('publishes it whole when it came in part', async () => {
      await started();
      flow.link.deliver('skull/config/gaze', '{"track_ms":900}', { retain: true });
      assert.deepEqual(await told(), [['skull/config/gaze', gaze]]);
    });

    for (const payload of ['{"track_ms":1}', '{"speed":3}', '[]', '5', '{"__proto__":{"track_ms":900}}'])
      it(`drops ${payload}, counts it, and puts ours in its place`, async () => {
        await started();
        flow.link.deliver('skull/config/gaze', payload, { retain: true });
        assert.deepEqual(await told(), [['skull/config/gaze', DEFAULTS.gaze]]);
        assert.equal(flow.character.intake.dropped.get('skull/config/gaze'), 1);
        assert.deepEqual([ours().get('gaze'), records], [DEFAULTS.gaze, []]);
      });

    it('drops a section that does not exist', async () => {
      await started();
      for (const section of ['nose', '__proto__', 'constructor']) {
        flow.link.deliver(`skull/config/${section}`, '{}');
        await settled();
        assert.equal(flow.character.intake.dropped.get(`skull/config/${section}`), 1);
      }
      assert.deepEqual([await told(), records], [[], []]);
    });
  });

  describe('when the broker held a section already', () => {
    it('does nothing if it is ours', async () => {
      await started();
      flow.link.deliver('skull/config/gaze', JSON.stringify(DEFAULTS.gaze), { stored: true, retain: true });
      assert.deepEqual(await told(), []);
    });

    it('keeps a differing one beside ours, says so, and publishes ours', async () => {
      await started();
      const other = { track_ms: 5 };
      flow.link.deliver('skull/config/gaze', JSON.stringify(other), { stored: true, retain: true });
      assert.deepEqual(await told(), [['skull/config/gaze', DEFAULTS.gaze]]);
      assert.deepEqual([ours().get('gaze'), records], [DEFAULTS.gaze, []]);
      await ours().flush();
      const folder = path.join(flow.home, 'config');
      const [kept] = readdirSync(folder).filter((name) => name.includes('retained'));
      assert.equal(kept, 'gaze.json.retained-2026-01-01T00-00-00.000Z');
      assert.deepEqual(JSON.parse(readFileSync(path.join(folder, kept ?? ''), 'utf8')), other);
      const said = flow.log.entries.find(({ msg }) => msg.includes(kept ?? '?'));
      assert.deepEqual([said?.kind, said?.level], ['config', 'warn']);
    });
  });

  it('hands a message that is not about the configuration to a Catch node', async () => {
    await started();
    const caught = flow.next('caught');
    flow.node('config-sync').receive({ topic: 'vision/motion', payload: {} });
    const { error } = (await caught) as { error: { message: string } };
    assert.match(error.message, /Expected a topic skull\/config\/<section>/);
  });

  it('shows how it stands', async () => {
    await started();
    const shown: unknown[] = [];
    const node = flow.node('config-sync');
    node.status = (status) => void shown.push(status);
    ours().merge('vision', { threshold: 0.7 }, 'rest');
    assert.deepEqual(shown.splice(0), [{ fill: 'green', shape: 'dot', text: 'skull-config-sync.status.changed' }]);
    await node.close();
    assert.deepEqual(shown, [{}]);
  });

  it('says so when it has no character', async () => {
    await load([
      { id: 'tab', type: 'tab' },
      { id: 'config-sync', type: 'skull-config-sync', character: '', z: 'tab' },
    ]);
    assert.deepEqual(flow.link.published, []);
  });

  it('lets everything go when it is closed, and announces the sections again when it is deployed again', async () => {
    await started();
    await flow.node('config-sync').close();
    ours().merge('vision', { threshold: 0.7 }, 'rest');
    assert.deepEqual([await told(), records], [[], []]);
    const renamed = nodes.map((node) => (node.id === 'config-sync' ? { ...node, name: 'other' } : node));
    await helper.setFlows([CHARACTER, ...renamed], 'nodes');
    const again = await told();
    assert.equal(again.length, SECTION_NAMES.length + 4);
    assert.deepEqual(new Map(again.map(([topic, payload]) => [topic, payload])).get('skull/config/vision'), {
      ...DEFAULTS.vision,
      threshold: 0.7,
    });
    const elsewhere = [...renamed, { id: 'more', type: 'helper', z: 'config-tab' }];
    await helper.setFlows([CHARACTER, ...elsewhere], 'nodes');
    assert.deepEqual(await told(), [], 'a deployment that leaves it alone says nothing again');
  });
});
