import assert from 'node:assert/strict';
import type { NodeMessage } from 'node-red';
import skullCommand from '../../nodes/skull-command/skull-command.ts';
import skullEvent from '../../nodes/skull-event/skull-event.ts';
import skullSignal from '../../nodes/skull-signal/skull-signal.ts';
import { type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';

const signal = (extra: object): FlowNode => ({
  id: 'in',
  type: 'skull-signal',
  character: 'skull',
  topics: ['vision/motion', 'audio/vad'],
  wires: [['sink']],
  ...extra,
});
const sink: FlowNode = { id: 'sink', type: 'helper' };

describe('nodes between MQTT and the flow', () => {
  let flow: LoadedFlow;
  afterEach(() => flow.unload());

  describe('skull-signal', () => {
    it('sends what was read and checked, and nothing else', async () => {
      flow = await loadFlow([skullSignal], [signal({}), sink]);
      const received = flow.next('sink');
      flow.link.deliver('vision/motion', 'nonsense');
      flow.link.deliver('vision/motion', '{"score":0.9}');
      const { topic, payload, stored } = await received;
      assert.deepEqual({ topic, payload, stored }, { topic: 'vision/motion', payload: { score: 0.9 }, stored: false });
      assert.equal(flow.character.intake.dropped.get('vision/motion'), 1);
    });

    it('asks for a connection of its own when express', async () => {
      flow = await loadFlow([skullSignal], [signal({ express: true }), sink]);
      assert.deepEqual(
        [...flow.link.subscriptions].map(({ options }) => options.express),
        [true],
      );
    });

    it('lets everything go when it is closed', async () => {
      flow = await loadFlow(
        [skullSignal, skullCommand],
        [signal({}), sink, { id: 'out', type: 'skull-command', character: 'skull' }],
      );
      // The character watches the link too.
      assert.deepEqual([flow.link.subscriptions.size, flow.link.watchers], [1, 3]);
      await flow.node('in').close();
      await flow.node('out').close();
      assert.deepEqual([flow.link.subscriptions.size, flow.link.watchers], [0, 1]);
    });

    it('says so when it has no character', async () => {
      flow = await loadFlow([skullSignal], [signal({ character: '' }), sink]);
      assert.equal(flow.link.subscriptions.size, 0);
    });
  });

  describe('skull-command', () => {
    const command = (extra: object = {}): FlowNode => ({
      id: 'out',
      type: 'skull-command',
      character: 'skull',
      ...extra,
    });
    const published = async (msg: object, extra?: object) => {
      flow = await loadFlow([skullCommand], [command(extra)]);
      flow.node('out').receive(msg as NodeMessage);
      return flow.link.published;
    };

    it('publishes words as they are and the rest as JSON', async () => {
      assert.deepEqual(await published({ topic: 'orchestrator/state', payload: 'Idle', retain: true }), [
        { topic: 'orchestrator/state', payload: 'Idle', retain: true, qos: 0 },
      ]);
      flow.node('out').receive({ topic: 'motion/center', payload: {}, qos: 1 });
      flow.node('out').receive({ topic: 'gone', retain: true });
      assert.deepEqual(flow.link.published.slice(1), [
        { topic: 'motion/center', payload: '{}', retain: false, qos: 1 },
        { topic: 'gone', payload: '', retain: true, qos: 0 },
      ]);
    });

    it('falls back to its own topic and retain', async () => {
      assert.deepEqual(await published({ payload: 1 }, { topic: 'mine', retain: true }), [
        { topic: 'mine', payload: '1', retain: true, qos: 0 },
      ]);
    });

    for (const topic of ['', 'a/+/b', 'a/#', 'a\0b']) {
      it(`refuses the topic ${JSON.stringify(topic)}, for a Catch node to see`, async () => {
        flow = await loadFlow(
          [skullCommand],
          [command(), { id: 'catch', type: 'catch', scope: null, wires: [['sink']] }, { ...sink }],
        );
        const caught = flow.next('sink');
        flow.node('out').receive({ topic, payload: 'x' });
        const { error } = (await caught) as { error: { message: string } };
        assert.match(error.message, /Not a topic to publish on/);
        assert.deepEqual(flow.link.published, []);
      });
    }
  });

  describe('skull-event', () => {
    const events = (source: string): FlowNode => ({
      id: 'in',
      type: 'skull-event',
      character: 'skull',
      source,
      wires: [['sink']],
    });
    const fact = { kind: 'service', subject: 'voice', cause: 'test', data: { to: 'alive' } } as const;

    it('sends each event, numbered and dated', async () => {
      flow = await loadFlow([skullEvent], [events('events'), sink]);
      const received = flow.next('sink');
      flow.character.events.append(fact);
      const { topic, payload } = await received;
      assert.equal(topic, 'orchestrator/event');
      assert.deepEqual(payload, { seq: 1, time: new Date(flow.clock.now()).toISOString(), ...fact });
    });

    it('sends the status when something changed, at most once a second', async () => {
      flow = await loadFlow([skullEvent], [events('status'), sink]);
      const sent: unknown[] = [];
      flow.node('sink').on('input', (msg) => void sent.push(msg));
      flow.clock.advance(0);
      flow.clock.set(flow.clock.now() - 864_000_000);
      for (let i = 0; i < 10; i++) flow.character.events.append(fact);
      flow.clock.advance(999);
      await new Promise(setImmediate);
      assert.equal(sent.length, 1);
      flow.clock.advance(1);
      await new Promise(setImmediate);
      assert.equal(sent.length, 2);
      flow.clock.advance(60_000);
      await new Promise(setImmediate);
      assert.equal(sent.length, 2, 'nothing changed since');
    });

    it('tells that a service fell silent', async () => {
      flow = await loadFlow([skullEvent], [events('status'), sink]);
      const states: string[] = [];
      flow.node('sink').on('input', (msg) => {
        const { services } = msg.payload as { services: { voice: { state: string } } };
        states.push(services.voice.state);
      });
      for (const [ms, seen] of [
        [10_000, false],
        [5000, true],
        [5000, false],
        [20_000, false],
        [1000, false],
      ] as const) {
        if (seen) flow.character.life.seen('voice');
        flow.clock.advance(ms);
        await new Promise(setImmediate);
      }
      assert.deepEqual(states, ['unknown', 'alive', 'silent']);
    });
  });
});
