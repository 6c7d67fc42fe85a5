import assert from 'node:assert/strict';
import helper from 'node-red-node-test-helper';
import { issuesOf } from '../../core/model/schema.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { HealthNews } from '../../core/supervision/health.ts';
import skullHealth from '../../nodes/skull-health/skull-health.ts';
import skullSignal from '../../nodes/skull-signal/skull-signal.ts';
import skullSystemctl from '../../nodes/skull-systemctl/skull-systemctl.ts';
import { CHARACTER, type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { MemoryManager } from '../support/manager.ts';
import { settled } from '../support/settled.ts';

interface Message {
  topic?: string;
  payload: HealthNews & { service?: string };
  retain?: boolean;
}

const place = { z: 'tab', x: 0, y: 0 };
const words = 'skull-health.status';
const health = (extra: object): FlowNode => ({
  id: 'health',
  type: 'skull-health',
  character: 'skull',
  interval: 10,
  wires: [['systemctl', 'orders'], ['news']],
  ...place,
  ...extra,
});
const around: FlowNode[] = [
  { id: 'systemctl', type: 'skull-systemctl', verb: '', service: '', wires: [['health'], ['health']], ...place },
  { id: 'beats', type: 'skull-signal', character: 'skull', topics: ['+/heartbeat'], wires: [[]], ...place },
  ...['orders', 'news', 'errors'].map((id) => ({ id, type: 'helper', ...place })),
  { id: 'caught', type: 'catch', scope: ['health'], wires: [['errors']], ...place },
];

describe('skull-health', () => {
  let flow: LoadedFlow;
  let manager: MemoryManager;
  let orders: string[];
  let news: Message[];
  let errors: string[];
  let shown: unknown[];

  function listen(): void {
    flow.node('orders').on('input', (msg) => {
      const { topic, payload } = msg as unknown as Message;
      orders.push(`${topic} ${payload.service}`);
    });
    flow.node('news').on('input', (msg) => void news.push(msg as never));
    flow.node('errors').on('input', (msg) => void errors.push(String((msg as { error?: Error }).error?.message)));
    const told: NodeJS.EventEmitter | null = flow.node('health');
    told?.on('call:status', ({ firstArg }: { firstArg: unknown }) => void shown.push(firstArg));
  }
  async function load(extra: object = {}, { managed = true, more = [] as FlowNode[] } = {}): Promise<void> {
    const services = managed ? manager : undefined;
    flow = await loadFlow([skullHealth, skullSystemctl, skullSignal], [health(extra), ...around, ...more], {
      services,
    });
    listen();
    await settled();
  }
  const deploy = async (character: object, ...nodes: FlowNode[]) => {
    await helper.setFlows([{ id: 'tab', type: 'tab' }, { ...CHARACTER, ...character }, ...nodes, ...around]);
    listen();
    await settled();
  };
  const pass = async (ms: number) => {
    flow.clock.advance(ms);
    await settled();
  };
  const beat = async (...services: ServiceName[]) => {
    for (const service of services) flow.link.deliver(`${service}/heartbeat`, '');
    await settled();
  };
  const last = () => news.at(-1)?.payload;
  const states = () => {
    const report = flow.character.life.report();
    return SERVICES.map((service) => report[service].state).join(' ');
  };

  beforeEach(() => {
    manager = new MemoryManager();
    [orders, news, errors, shown] = [[], [], [], []];
  });
  afterEach(() => flow.unload());

  it('has a service restarted that crashes, through the flow', async () => {
    await load();
    await beat(...SERVICES);
    manager.move('motion', 'failed', { result: 'signal' });
    await settled();
    assert.deepEqual([orders, manager.jobs], [['restart motion'], ['restart motion']]);
    assert.equal(states(), 'restarting alive alive alive alive alive');
    await beat('motion');
    assert.equal(states(), 'alive alive alive alive alive alive');
    assert.equal(flow.character.life.report().motion.restarts, 1);
    assert.deepEqual(errors, []);
  });

  it('has a service restarted that falls silent', async () => {
    await load();
    await beat('voice');
    for (const service of SERVICES) manager.move(service, service === 'voice' ? 'running' : 'stopped', { asked: true });
    await pass(15_001);
    assert.deepEqual(orders, ['restart voice']);
  });

  it('tries again later when an order has failed', async () => {
    await load();
    await beat(...SERVICES);
    manager.carryOut = () => {
      throw new Error('no way');
    };
    manager.move('ai', 'failed', { result: 'exit-code' });
    await settled();
    assert.deepEqual(orders, ['restart ai']);
    manager.carryOut = () => {};
    await pass(1000);
    assert.deepEqual(orders, ['restart ai', 'restart ai']);
    assert.equal(states().split(' ').at(-1), 'restarting');
  });

  it('tells its health at the interval, retained, by its schema', async () => {
    await load({ interval: 5 });
    await beat('motion', 'asr');
    flow.meter.reading = {
      delay: { p50: 0.04, p99: 1.26, max: 30 },
      rss: 80_000_000,
      heapUsed: 30_000_000,
      cpuMs: 250,
      uptimeMs: 5000,
    };
    flow.link.traffic.in = 50;
    flow.link.traffic.out = 12;
    flow.character.intake.drop('vision/motion', 'not JSON');
    await pass(1000);
    assert.deepEqual(news[0]?.payload, {
      status: 'unhealthy',
      services: {
        motion: 'alive',
        vision: 'unknown',
        voice: 'unknown',
        audioin: 'unknown',
        asr: 'alive',
        ai: 'unknown',
      },
      event_loop_delay_ms: { p50: 0, p99: 1.3, max: 30 },
      memory: { rss: 80_000_000, heap_used: 30_000_000 },
      cpu_percent: 5,
      mqtt: { in_per_s: 10, out_per_s: 2.4, dropped: 1 },
      uptime_seconds: 1,
    });
    assert.deepEqual([news[0]?.topic, news[0]?.retain], ['orchestrator/health', true]);
    assert.deepEqual(issuesOf(HealthNews, news[0]?.payload), []);
    flow.meter.reading = { ...flow.meter.reading, cpuMs: 350, uptimeMs: 10_000 };
    flow.link.traffic.in = 51;
    await pass(4999);
    assert.equal(news.length, 1);
    await pass(1);
    assert.equal(news.length, 2);
    assert.deepEqual([last()?.cpu_percent, last()?.mqtt], [2, { in_per_s: 0.2, out_per_s: 0, dropped: 1 }]);
  });

  it('tells a change within a second, with the figures of the last interval, and says nothing twice', async () => {
    await load();
    await pass(1000);
    flow.meter.reading = { ...flow.meter.reading, rss: 1 };
    await beat('motion');
    await beat('voice');
    await pass(1000);
    assert.equal(news.length, 2);
    assert.deepEqual([last()?.services.motion, last()?.services.voice, last()?.memory.rss], ['alive', 'alive', 0]);
    await beat('motion', 'voice');
    flow.link.traffic.in = 4;
    await pass(7999);
    assert.equal(news.length, 2);
    await pass(1001);
    assert.deepEqual([news.length, last()?.memory.rss], [3, 1]);
  });

  it('says nothing in a quiet time, when nothing is received', async () => {
    await load({}, { managed: false });
    await pass(1000);
    assert.equal(news.length, 1);
    await pass(60_000);
    assert.equal(news.length, 1);
    flow.link.traffic.in = 1;
    await pass(20_000);
    assert.equal(news.length, 2);
  });

  it('shows how many services are well, and what the others are', async () => {
    await load();
    assert.deepEqual(shown.at(-1), { fill: 'grey', shape: 'ring', text: `${words}.unheard` });
    await beat('motion', 'voice');
    assert.deepEqual(shown.at(-1), { fill: 'green', shape: 'dot', text: `${words}.well` });
    manager.carryOut = () => new Promise(() => {});
    manager.move('motion', 'failed', { result: 'signal' });
    await settled();
    assert.deepEqual(shown.at(-1), { fill: 'yellow', shape: 'dot', text: `${words}.well · ${words}.restarting` });
    manager.move('voice', 'stopped', { asked: true });
    await settled();
    assert.deepEqual(shown.at(-1), {
      fill: 'yellow',
      shape: 'dot',
      text: `${words}.well · ${words}.restarting · ${words}.stopped`,
    });
  });

  it('shows what was given up in red', async () => {
    for (const service of SERVICES) if (service !== 'motion') manager.move(service, 'unknown');
    await load();
    await beat('motion');
    for (let n = 0; n < 6; n++) {
      manager.move('motion', 'failed', { result: 'signal' });
      await settled();
      await pass(60_000);
    }
    assert.deepEqual(shown.at(-1), { fill: 'red', shape: 'dot', text: `${words}.well · ${words}.failed` });
  });

  it('only listens where there is no service manager', async () => {
    await load({}, { managed: false });
    await beat('motion');
    await pass(20_000);
    assert.equal(states().split(' ')[0], 'silent');
    assert.deepEqual(orders, []);
  });

  it('tells catch what it does not understand', async () => {
    await load();
    for (const message of [
      { topic: 'hello' },
      { topic: 'restart', payload: { service: 'ssh', state: 'running' } },
      { topic: 'failed', payload: { service: 'motion' } },
    ]) {
      flow.node('health').receive(message as never);
    }
    await settled();
    assert.equal(errors.length, 3);
  });

  describe('a deploy', () => {
    const prepare = async () => {
      await load();
      await beat('motion', 'voice', 'ai');
      manager.move('ai', 'failed', { result: 'signal' });
      manager.move('voice', 'stopped', { asked: true });
      await settled();
      await beat('ai');
      orders.length = 0;
    };
    const isAsBefore = () => {
      assert.equal(states(), 'alive unknown stopped unknown unknown alive');
      assert.equal(flow.character.life.report().ai.restarts, 1);
      assert.deepEqual(orders, []);
    };

    it('of the node forgets nothing', async () => {
      await prepare();
      await deploy({}, health({ interval: 20 }));
      isAsBefore();
      await pass(1000);
      assert.equal(last()?.services.voice, 'stopped');
      manager.move('motion', 'failed', { result: 'signal' });
      await settled();
      assert.deepEqual(orders, ['restart motion']);
    });

    it('of the character forgets nothing', async () => {
      await prepare();
      const before = flow.character;
      await deploy({ clientId: 'other' }, health({}));
      const { character } = flow.node('skull') as unknown as LoadedFlow;
      assert.notEqual(character, before);
      const report = character.life.report();
      assert.deepEqual(
        SERVICES.map((service) => report[service].state),
        ['alive', 'unknown', 'stopped', 'unknown', 'unknown', 'alive'],
      );
      assert.equal(report.ai.restarts, 1);
      assert.deepEqual(orders, []);
      const unwatched = { ...DEFAULTS.services, motion: { timeout_ms: 15_000, enabled: false } };
      character.config.replace('services', unwatched, 'rest');
      assert.equal(character.life.report().motion.state, 'unknown');
    });

    it('that removes the node ends all orders, and leaves nothing behind', async () => {
      await prepare();
      await deploy({});
      assert.equal(flow.meter.closed, true);
      assert.equal(manager.listeners, 0);
      assert.equal(flow.character.supervisor, undefined);
      news.length = 0;
      await pass(60_000);
      assert.deepEqual([orders, news], [[], []]);
    });
  });

  it('is one of its kind: a second one says so and does nothing', async () => {
    await load({}, { more: [health({ id: 'second', wires: [['errors'], ['errors']] })] });
    await beat('motion');
    manager.move('motion', 'failed', { result: 'signal' });
    await pass(20_000);
    assert.deepEqual(orders.slice(0, 1), ['restart motion']);
    assert.deepEqual(errors, []);
  });

  it('does not work with settings that make no sense', async () => {
    for (const settings of [{ interval: 0 }, { interval: 'often' }, { character: 'nobody' }]) {
      await load(settings);
      await pass(60_000);
      assert.deepEqual([orders, news], [[], []]);
      await flow.unload();
    }
    await load();
  });
});
