import assert from 'node:assert/strict';
import { SkullError } from '../../../core/model/errors.ts';
import { Supervisor } from '../../../core/supervision/supervisor.ts';
import { MemoryManager } from '../../support/manager.ts';
import { supervision } from '../../support/supervision.ts';

/** As `supervision`, with its manager. */
function managed({ start = true } = {}) {
  const manager = new MemoryManager();
  return { manager, ...supervision(manager, { start }) };
}

/** The same, where nobody's silence is judged. */
function unlimited() {
  const parts = managed();
  for (const one of Object.values(parts.settings)) one.timeout_ms = 0;
  parts.supervisor.settingsChanged();
  return parts;
}

/** A unit that ends each time it was started. */
function flapping() {
  const parts = managed();
  const { manager, pass, flow } = parts;
  const crash = () => manager.move('voice', 'failed', { result: 'signal' });
  const { carry } = flow;
  const at: number[] = [];
  let isFlapping = true;
  flow.carry = (service, verb) => {
    if (service !== 'voice') return;
    at.push(parts.clock.now());
    carry(service, verb);
    if (isFlapping) setImmediate(crash);
  };
  return {
    ...parts,
    crash,
    mend: () => {
      isFlapping = false;
    },
    /** Lets it crash until it is given up. Returns the seconds between the orders. */
    async untilGivenUp() {
      at.push(parts.clock.now());
      crash();
      for (let n = 0; parts.state('voice') !== 'failed' && n < 120; n++) await pass(1000);
      return at.slice(1).map((time, n) => (time - (at[n] ?? 0)) / 1000);
    },
  };
}

describe('signs of life', () => {
  it('tell who was heard, when, and who fell silent', () => {
    const { supervisor, clock, changes } = supervision(undefined);
    supervisor.seen('voice');
    const last_seen = '2026-01-01T00:00:00.000Z';
    assert.deepEqual(supervisor.report().voice, { state: 'alive', alive: true, last_seen, restarts: 0 });
    assert.deepEqual(supervisor.report().ai, { state: 'unknown', alive: false, last_seen: null, restarts: 0 });
    clock.advance(15_000);
    assert.deepEqual(changes(), ['voice alive heartbeat'], 'still within its time');
    clock.advance(1);
    assert.deepEqual(supervisor.report().voice, { state: 'silent', alive: false, last_seen, restarts: 0 });
    supervisor.seen('voice');
    assert.deepEqual(changes(), ['voice silent silence', 'voice alive heartbeat']);
  });

  it('move no timer, and are told once', () => {
    const { supervisor, clock, changes } = managed();
    changes();
    for (let beat = 0; beat < 100; beat++) {
      supervisor.seen('voice');
      clock.advance(1000);
      assert.ok(clock.pending <= 1);
    }
    assert.deepEqual(
      changes().filter((change) => change.startsWith('voice')),
      ['voice alive heartbeat'],
    );
  });

  it('are not missed without a limit, nor in a service that is not in use, nor after the end', () => {
    const { supervisor, clock, settings, state } = supervision(undefined);
    settings.voice.timeout_ms = 0;
    settings.ai.enabled = false;
    supervisor.settingsChanged();
    supervisor.seen('voice');
    supervisor.seen('ai');
    clock.advance(86_400_000);
    assert.deepEqual([state('voice'), state('ai')], ['alive', 'unknown']);
    assert.notEqual(supervisor.report().ai.last_seen, null);
    assert.equal(clock.pending, 0);
    supervisor.seen('motion');
    assert.equal(clock.pending, 1);
    supervisor.close();
    assert.equal(clock.pending, 0);
  });

  it('are missed only while the broker is heard, and a fresh period follows an outage', () => {
    const { supervisor, clock, state } = supervision(undefined);
    supervisor.seen('voice');
    clock.advance(14_000);
    supervisor.connected(false);
    clock.advance(3_600_000);
    assert.equal(state('voice'), 'alive');
    supervisor.connected(true);
    clock.advance(15_000);
    supervisor.connected(true);
    assert.equal(state('voice'), 'alive');
    clock.advance(1);
    assert.equal(state('voice'), 'silent');
  });

  it('are judged by a limit that changes at once, and anew where there was none', () => {
    const { supervisor, clock, settings, state } = supervision(undefined);
    const limit = (ms: number) => {
      settings.voice.timeout_ms = ms;
      supervisor.settingsChanged();
    };
    supervisor.seen('voice');
    clock.advance(10_000);
    limit(5000);
    clock.advance(1);
    assert.equal(state('voice'), 'silent');
    limit(0);
    supervisor.seen('voice');
    clock.advance(60_000);
    limit(5000);
    clock.advance(5000);
    assert.equal(state('voice'), 'alive');
    clock.advance(1);
    assert.equal(state('voice'), 'silent');
  });

  it('that nobody could take in are not missed: the process stood still, or the clock was set', () => {
    for (const jump of [-86_400_000, 86_400_000]) {
      const { supervisor, clock, state } = supervision(undefined);
      const now = clock.now.bind(clock);
      supervisor.seen('voice');
      clock.now = () => now() + jump;
      clock.advance(20_000);
      assert.equal(state('voice'), 'alive', `${jump}`);
      clock.advance(20_000);
      assert.equal(state('voice'), 'silent', `${jump}`);
    }
  });

  it('go on to the others when one listener fails', () => {
    const { supervisor, clock, log, changes } = supervision(undefined);
    supervisor.onChange(() => {
      throw new Error('a bad listener');
    });
    const told: string[] = [];
    const end = supervisor.onChange(({ state, previous }) => told.push(`${previous} ${state}`));
    supervisor.seen('voice');
    clock.advance(60_000);
    end();
    supervisor.seen('voice');
    assert.deepEqual(told, ['unknown alive', 'alive silent']);
    assert.equal(changes().length, 3);
    assert.match(log.entries[0]?.msg ?? '', /voice: a listener failed: a bad listener/);
  });
});

describe('the supervisor of services', () => {
  it('has a crashed service restarted in the same tick, and sees it come alive', async () => {
    const { manager, supervisor, orders, changes, pass } = managed();
    supervisor.seen('voice');
    manager.move('voice', 'failed', { result: 'signal' });
    assert.deepEqual(orders(), ['restart voice']);
    await pass(0);
    supervisor.seen('voice');
    assert.deepEqual(changes(), [
      'voice alive heartbeat',
      'voice crashed crash',
      'voice restarting restart',
      'voice alive heartbeat',
    ]);
    assert.equal(supervisor.report().voice.restarts, 1);
  });

  it('takes a unit that ends by itself for crashed, too, and one that was never heard', () => {
    const { manager, orders } = managed();
    manager.move('ai', 'stopped');
    assert.deepEqual(orders(), ['restart ai']);
  });

  it('has a silent service restarted, whether it was heard before or never', async () => {
    const { supervisor, clock, orders, changes, pass } = managed();
    clock.advance(10_000);
    for (const service of ['voice', 'ai', 'asr', 'audioin', 'vision'] as const) supervisor.seen(service);
    clock.advance(5001);
    assert.deepEqual(orders(), ['restart motion']);
    clock.advance(9999);
    for (const service of ['ai', 'asr', 'audioin', 'vision'] as const) supervisor.seen(service);
    changes();
    clock.advance(1);
    assert.deepEqual(orders(), ['restart voice']);
    assert.deepEqual(changes(), ['voice silent silence', 'voice restarting restart']);
    await pass(0);
    supervisor.seen('voice');
    assert.deepEqual(changes(), ['voice alive heartbeat']);
  });

  it('waits longer each time, and gives up after five times within ten minutes', async () => {
    const { untilGivenUp, supervisor, orders, pass } = flapping();
    assert.deepEqual(await untilGivenUp(), [0, 1, 2, 4, 8]);
    const { state, restarts } = supervisor.report().voice;
    assert.deepEqual([state, restarts], ['failed', 5]);
    assert.match(supervisor.problems()[0] ?? '', /^Service voice has failed: 5 restarts within 10 minutes/);
    orders();
    await pass(3_600_000);
    supervisor.settingsChanged();
    assert.ok(!orders().includes('restart voice'));
    assert.equal(supervisor.report().voice.state, 'failed');
  });

  it('waits no longer than a minute, and begins anew after ten minutes without', async () => {
    const { manager, clock, supervisor, pass } = unlimited();
    const waits: number[] = [];
    const crash = async () => {
      await pass(0);
      const before = supervisor.report().voice.restarts;
      const at = clock.now();
      manager.move('voice', 'failed');
      while (supervisor.report().voice.restarts === before) await pass(1000);
      waits.push((clock.now() - at) / 1000);
    };
    for (let n = 0; n < 10; n++) {
      await crash();
      await pass(150_000);
    }
    await pass(600_000);
    await crash();
    assert.deepEqual(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 0]);
  });

  for (const [how, start] of [
    ['an operator', (parts: ReturnType<typeof flapping>) => parts.supervisor.command('voice', 'start')],
    ['other hands', async ({ manager }: ReturnType<typeof flapping>) => manager.move('voice', 'running')],
  ] as const) {
    it(`forgets that it gave up when ${how} starts the service`, async () => {
      const parts = flapping();
      await parts.untilGivenUp();
      parts.mend();
      parts.changes();
      await start(parts);
      parts.supervisor.seen('voice');
      assert.deepEqual(parts.changes(), ['voice restarting start', 'voice alive heartbeat']);
      assert.deepEqual(parts.supervisor.problems(), []);
      parts.orders();
      parts.crash();
      assert.deepEqual(parts.orders(), ['restart voice']);
    });
  }

  it('holds to a service having been given up for silent, though it is heard, until somebody starts it', async () => {
    const { clock, flow, supervisor, orders, state } = managed();
    flow.carry = (service, verb) => void setImmediate(() => supervisor.done(service, verb));
    for (let n = 0; n < 200 && state('voice') !== 'failed'; n++) {
      clock.advance(1000);
      await new Promise(setImmediate);
    }
    assert.equal(state('voice'), 'failed');
    supervisor.settingsChanged();
    supervisor.seen('voice');
    clock.advance(3_600_000);
    assert.equal(state('voice'), 'failed');
    await supervisor.command('voice', 'start');
    clock.advance(15_000);
    assert.equal(state('voice'), 'restarting');
    orders();
    clock.advance(1);
    assert.ok(orders().includes('restart voice'));
  });

  it('comes to give up a service that is heard between its silences', async () => {
    const { clock, flow, supervisor, state, changes } = managed();
    flow.carry = (service, verb) => void setImmediate(() => supervisor.done(service, verb));
    const until = clock.now() + 600_000;
    while (clock.now() < until && state('voice') !== 'failed') {
      supervisor.seen('voice');
      for (let s = 0; s < 20; s++) {
        clock.advance(1000);
        await new Promise(setImmediate);
      }
    }
    assert.equal(state('voice'), 'failed');
    assert.ok(changes().includes('voice failed give-up'));
  });

  it('lets go of a restart for silence that means nothing any more', async () => {
    for (const mean of ['broker', 'settings'] as const) {
      const { clock, flow, supervisor, orders, settings, state } = managed();
      flow.carry = (service, verb) => void setImmediate(() => supervisor.done(service, verb));
      supervisor.seen('voice');
      // Two restarts, so that the third one waits.
      while (orders().length === 0) clock.advance(1000);
      await new Promise(setImmediate);
      while (state('voice') !== 'silent') {
        clock.advance(500);
        await new Promise(setImmediate);
      }
      orders();
      if (mean === 'broker') supervisor.connected(false);
      else {
        settings.voice = { ...settings.voice, timeout_ms: 0 };
        supervisor.settingsChanged();
      }
      clock.advance(10_000);
      assert.deepEqual(
        orders().filter((order) => order.includes('voice')),
        [],
      );
    }
  });

  it('leaves alone what was stopped on purpose, by an operator or by other hands, until it is started', async () => {
    const { manager, supervisor, orders, state, pass } = managed();
    for (const service of ['voice', 'ai'] as const) supervisor.seen(service);
    await supervisor.command('voice', 'stop');
    manager.move('ai', 'stopped', { asked: true });
    // What it has said last may come late.
    supervisor.seen('voice');
    assert.deepEqual([state('voice'), state('ai')], ['stopped', 'stopped']);
    await pass(3_600_000);
    manager.setConnected(false);
    manager.setConnected(true);
    assert.deepEqual([state('voice'), state('ai')], ['stopped', 'stopped']);
    const touched = orders().filter((order) => /voice|ai$/.test(order));
    assert.deepEqual(touched, []);
    await supervisor.command('voice', 'start');
    manager.move('ai', 'running');
    for (const service of ['voice', 'ai'] as const) supervisor.seen(service);
    assert.deepEqual([state('voice'), state('ai')], ['alive', 'alive']);
    manager.move('voice', 'failed');
    manager.move('ai', 'failed');
    assert.deepEqual(orders(), ['restart voice', 'restart ai']);
  });

  it('honours a stop by hand while a restart waits for its time', async () => {
    const { manager, orders, state, pass } = unlimited();
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    assert.deepEqual([orders(), state('voice')], [['restart voice'], 'crashed']);
    manager.move('voice', 'stopping');
    await pass(10_000);
    manager.move('voice', 'stopped', { asked: true });
    await pass(10_000);
    assert.deepEqual([orders(), state('voice')], [[], 'stopped']);
    manager.move('voice', 'running');
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    assert.deepEqual([orders(), state('voice')], [['restart voice'], 'crashed']);
    manager.move('voice', 'stopped', { asked: true });
    await pass(10_000);
    assert.deepEqual([orders(), state('voice')], [[], 'stopped']);
  });

  it('holds a stop though the process ends badly, and though its manager does not know who asked', async () => {
    const { manager, supervisor, orders, state, pass } = managed();
    manager.act = async (service) => {
      manager.move(service, 'failed', { result: 'exit-code' });
      return 'failed';
    };
    await supervisor.command('voice', 'stop');
    await pass(5000);
    assert.deepEqual([orders(), state('voice')], [[], 'stopped']);
  });

  it('goes on as before when a stop fails', async () => {
    const { manager, supervisor, orders, state } = managed();
    supervisor.seen('voice');
    manager.carryOut = () => Promise.reject(new SkullError('timeout', 'it hangs'));
    await assert.rejects(supervisor.command('voice', 'stop'), { code: 'timeout' });
    assert.equal(state('voice'), 'alive');
    manager.move('voice', 'failed');
    assert.deepEqual(orders(), ['restart voice']);
  });

  it('lets an operator go before its own orders, and hears no more of these', async () => {
    const { manager, supervisor, flow, orders, state, pass } = managed();
    flow.carry = () => {};
    manager.move('voice', 'failed');
    assert.deepEqual(orders(), ['restart voice']);
    supervisor.done('voice', 'stop');
    assert.equal(state('voice'), 'restarting', 'that was not ordered');
    await supervisor.command('voice', 'stop');
    assert.equal(state('voice'), 'stopped');
    supervisor.done('voice', 'restart', new SkullError('conflict', 'another job took its place'));
    await pass(5000);
    assert.deepEqual([orders(), state('voice')], [[], 'stopped']);
    assert.deepEqual(manager.jobs, ['stop voice']);
  });

  it('refuses a command without a manager, and hands on what the manager refuses', async () => {
    const alone = supervision(undefined);
    await assert.rejects(alone.supervisor.command('voice', 'stop'), { code: 'unavailable' });
    const { manager, supervisor, state } = managed();
    manager.setConnected(false);
    assert.equal(supervisor.managing, 'down');
    assert.match(supervisor.problems()[0] ?? '', /service manager \(simulated\) cannot be reached/);
    await assert.rejects(supervisor.command('voice', 'restart'), { code: 'unavailable' });
    manager.setConnected(true);
    manager.move('voice', 'unknown');
    manager.carryOut = () => Promise.reject(new SkullError('not_found', 'no such unit'));
    await assert.rejects(supervisor.command('voice', 'start'), { code: 'not_found' });
    assert.deepEqual([state('voice'), supervisor.managing, supervisor.problems()], ['unknown', 'ok', []]);
  });

  it('counts an order that fails as an attempt', async () => {
    const { manager, supervisor, orders, changes, log, pass } = managed();
    manager.carryOut = () => Promise.reject(new SkullError('conflict', 'the job failed'));
    manager.move('voice', 'failed');
    await pass(0);
    assert.deepEqual(orders(), ['restart voice']);
    await pass(999);
    supervisor.settingsChanged();
    assert.deepEqual(orders(), []);
    await pass(1);
    assert.deepEqual(orders(), ['restart voice']);
    assert.match(log.entries[0]?.msg ?? '', /voice: the order to restart it failed: the job failed/);
    assert.deepEqual(changes().slice(0, 4), [
      'voice crashed crash',
      'voice restarting restart',
      'voice crashed crash',
      'voice restarting restart',
    ]);
    for (const ms of [2000, 4000, 8000]) await pass(ms);
    assert.equal(supervisor.report().voice.state, 'failed');
  });

  it('tries again where a silent service could not be restarted, and where sending the order fails', async () => {
    const { flow, supervisor, clock, orders, changes, pass } = managed();
    flow.carry = () => {
      throw new Error('nobody takes it');
    };
    supervisor.seen('voice');
    clock.advance(15_001);
    assert.deepEqual(
      changes().filter((change) => change.startsWith('voice')),
      ['voice alive heartbeat', 'voice silent silence', 'voice restarting restart', 'voice silent order-failed'],
    );
    assert.ok(orders().includes('restart voice'));
    await pass(500);
    supervisor.settingsChanged();
    await pass(500);
    assert.ok(orders().includes('restart voice'));
    supervisor.seen('voice');
    await pass(2000);
    assert.ok(!orders().includes('restart voice'), 'it was heard again in time');
  });

  it('takes an order that nobody answers for lost after two minutes', async () => {
    const { manager, flow, orders, pass } = managed();
    flow.carry = () => {};
    manager.move('voice', 'failed');
    assert.deepEqual(orders(), ['restart voice']);
    const voiceOrders = () => orders().filter((order) => order.endsWith('voice'));
    await pass(120_999);
    assert.deepEqual(voiceOrders(), []);
    await pass(1);
    assert.deepEqual(voiceOrders(), ['restart voice']);
  });

  it('is content where another job has restarted the unit', async () => {
    const { manager, supervisor, clock, flow, orders, state } = managed();
    flow.carry = () => {};
    clock.advance(1000);
    manager.move('voice', 'failed');
    manager.move('voice', 'running');
    supervisor.done('voice', 'restart', new SkullError('conflict', 'another job took its place'));
    assert.deepEqual([orders(), state('voice')], [['restart voice'], 'restarting']);
  });

  it('gives whom it had restarted a whole period, and does not mind what is heard before', () => {
    const { supervisor, clock, flow, orders, state } = managed();
    flow.carry = () => {};
    supervisor.seen('voice');
    clock.advance(15_001);
    supervisor.seen('voice');
    assert.equal(state('voice'), 'restarting', 'the old process may have said it');
    clock.advance(60_000);
    supervisor.done('voice', 'restart');
    clock.advance(15_000);
    assert.equal(state('voice'), 'restarting');
    orders();
    clock.advance(1);
    assert.equal(state('voice'), 'silent');
    clock.advance(1000);
    assert.deepEqual(orders(), ['restart voice']);
  });

  it('counts the silence of a unit from its start, by whomever, and not during a command', async () => {
    const { manager, supervisor, clock, state } = managed();
    supervisor.seen('voice');
    manager.move('voice', 'stopped', { asked: true });
    clock.advance(3_600_000);
    manager.move('voice', 'running');
    clock.advance(15_000);
    assert.equal(state('voice'), 'restarting');
    supervisor.seen('voice');
    let end = () => {};
    manager.carryOut = () => new Promise((resolve) => (end = resolve));
    const stopped = supervisor.command('voice', 'stop');
    clock.advance(60_000);
    assert.equal(state('voice'), 'alive');
    end();
    await stopped;
    assert.equal(state('voice'), 'stopped');
  });

  it('takes a crash during a restart by an operator for a crash', async () => {
    const { manager, supervisor, orders } = managed();
    manager.act = async (service) => {
      manager.move(service, 'stopped', { asked: true });
      manager.move(service, 'running');
      manager.move(service, 'failed');
      return 'failed';
    };
    await supervisor.command('voice', 'restart');
    assert.deepEqual(orders(), ['restart voice']);
  });

  it('waits for its manager to tell how a unit ended', async () => {
    const { manager, supervisor, orders, state } = managed();
    const unit = manager.unit.bind(manager);
    manager.unit = () => 'stopped';
    supervisor.settingsChanged();
    assert.deepEqual([orders(), state('voice')], [[], 'unknown']);
    manager.unit = unit;
    manager.move('voice', 'stopped', { asked: true });
    assert.equal(state('voice'), 'stopped');
  });

  it('orders nothing for a service that other hands have started meanwhile', async () => {
    const { manager, orders, pass } = managed();
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    orders();
    manager.move('voice', 'running');
    await pass(5000);
    assert.deepEqual(orders(), []);
  });

  it('gives up after five times within ten minutes, however slowly they follow one another', async () => {
    const { manager, state, pass } = unlimited();
    for (let n = 0; n < 5; n++) {
      manager.move('voice', 'failed');
      await pass(110_000);
    }
    assert.equal(state('voice'), 'unknown');
    manager.move('voice', 'failed');
    assert.equal(state('voice'), 'failed');
  });

  it('restarts in time though the clock is set back', async () => {
    const { manager, clock, orders, pass } = unlimited();
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    orders();
    const now = clock.now.bind(clock);
    clock.now = () => now() - 86_400_000;
    await pass(1000);
    assert.ok(orders().includes('restart voice'));
    for (let n = 0; n < 4; n++) {
      manager.move('voice', 'failed');
      await pass(70_000);
    }
    assert.equal(
      orders().filter((order) => order === 'restart voice').length,
      4,
      'what was before the day is forgotten',
    );
  });

  it('does not wait a day for an answer because the clock was set back', async () => {
    const { manager, clock, flow, orders, pass } = unlimited();
    flow.carry = () => {};
    manager.move('voice', 'failed');
    const now = clock.now.bind(clock);
    clock.now = () => now() - 86_400_000;
    await pass(300_000);
    assert.ok(orders().length > 1);
  });

  it('judges a crash during a restart once the restart is over', async () => {
    const { manager, flow, supervisor, orders, state, pass } = managed();
    flow.carry = () => {};
    manager.move('voice', 'failed');
    manager.move('voice', 'running');
    manager.move('voice', 'failed');
    assert.deepEqual(orders(), ['restart voice']);
    supervisor.done('voice', 'restart');
    assert.equal(state('voice'), 'crashed');
    await pass(1000);
    assert.deepEqual(orders(), ['restart voice']);
  });

  it('leaves a unit to its manager that starts it again by itself', async () => {
    const { manager, supervisor, orders, state, pass } = managed();
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    manager.move('voice', 'starting');
    orders();
    await pass(5000);
    assert.deepEqual([orders(), state('voice')], [[], 'restarting']);
    manager.move('voice', 'running');
    supervisor.seen('voice');
    assert.equal(state('voice'), 'alive');
  });

  it('orders nothing from a manager that cannot be reached, and judges anew when it can', async () => {
    const { manager, supervisor, orders, state, pass } = managed();
    for (const service of ['voice', 'ai', 'asr'] as const) supervisor.seen(service);
    manager.setConnected(false);
    manager.move('voice', 'failed');
    manager.move('ai', 'stopped', { asked: true });
    await pass(15_001);
    assert.deepEqual([orders(), state('asr')], [[], 'silent']);
    manager.setConnected(true);
    assert.deepEqual(
      orders().filter((order) => /voice|ai|asr$/.test(order)),
      ['restart voice', 'restart asr'],
    );
    assert.equal(state('ai'), 'stopped');
  });

  it('lets a planned restart go when the manager is lost, and plans it anew', async () => {
    const { manager, orders, state, pass } = managed();
    manager.move('voice', 'failed');
    await pass(0);
    manager.move('voice', 'failed');
    orders();
    manager.setConnected(false);
    await pass(60_000);
    assert.deepEqual([orders(), state('voice')], [[], 'crashed']);
    manager.setConnected(true);
    await pass(1000);
    assert.ok(orders().includes('restart voice'));
  });

  it('never orders anything of a unit that does not exist', async () => {
    const { manager, supervisor, orders, state, pass } = managed({ start: false });
    manager.move('voice', 'unknown');
    manager.move('ai', 'unknown');
    supervisor.start();
    supervisor.seen('voice');
    await pass(16_000);
    assert.deepEqual([state('voice'), state('ai')], ['silent', 'unknown']);
    assert.ok(!orders().some((order) => /voice|ai$/.test(order)));
    assert.equal(supervisor.detail('ai').unit, 'unknown');
  });

  it('asks once for the start of each unit that does not run, at its start', async () => {
    const { manager, supervisor, settings, orders, state, pass } = managed({ start: false });
    manager.move('voice', 'stopped', { asked: true });
    manager.move('ai', 'failed');
    manager.move('asr', 'stopped');
    settings.asr.enabled = false;
    supervisor.settingsChanged();
    assert.deepEqual(orders(), []);
    supervisor.start();
    assert.deepEqual([orders(), state('asr')], [['start voice', 'start ai'], 'stopped']);
    await pass(0);
    supervisor.seen('voice');
    assert.equal(supervisor.report().voice.restarts, 0);
    supervisor.close();
    manager.move('voice', 'stopped', { asked: true });
    supervisor.start();
    await pass(5000);
    assert.deepEqual([orders(), state('voice')], [[], 'stopped']);
  });

  it('takes a first start that fails for a crash', async () => {
    const { manager, supervisor, orders, pass } = managed({ start: false });
    manager.move('voice', 'stopped', { asked: true });
    manager.carryOut = () => Promise.reject(new SkullError('conflict', 'the job failed'));
    supervisor.start();
    await pass(0);
    assert.deepEqual(orders(), ['start voice', 'restart voice']);
  });

  it('asks for it when the manager is there later, and when the service comes into use', async () => {
    const { manager, supervisor, settings, orders } = managed({ start: false });
    manager.setConnected(false);
    manager.move('voice', 'stopped');
    manager.move('ai', 'stopped');
    settings.ai.enabled = false;
    supervisor.start();
    assert.deepEqual(orders(), []);
    manager.setConnected(true);
    assert.deepEqual(orders(), ['start voice']);
    settings.ai.enabled = true;
    supervisor.settingsChanged();
    assert.deepEqual(orders(), ['start ai']);
  });

  it('leaves a service that is not in use alone, at once', async () => {
    const { manager, supervisor, settings, orders, state, pass } = managed();
    supervisor.seen('voice');
    manager.move('ai', 'failed');
    await pass(0);
    manager.move('ai', 'failed');
    orders();
    settings.voice.enabled = false;
    settings.ai.enabled = false;
    supervisor.settingsChanged();
    assert.deepEqual([state('voice'), state('ai')], ['unknown', 'stopped']);
    manager.move('voice', 'failed');
    await pass(5000);
    assert.deepEqual(orders(), []);
    settings.voice.enabled = true;
    supervisor.settingsChanged();
    assert.deepEqual(orders(), ['restart voice']);
  });

  it('keeps a stop on purpose of a service that was not in use then', async () => {
    const { manager, supervisor, settings, orders, state } = managed({ start: false });
    for (const service of ['voice', 'ai'] as const) settings[service].enabled = false;
    manager.move('ai', 'stopped');
    supervisor.start();
    manager.move('voice', 'stopped', { asked: true });
    await supervisor.command('ai', 'stop');
    for (const service of ['voice', 'ai'] as const) settings[service].enabled = true;
    supervisor.settingsChanged();
    assert.deepEqual([orders(), state('voice'), state('ai')], [[], 'stopped', 'stopped']);
  });

  it('does not wait for signs of life where there is no limit', async () => {
    const { manager, supervisor, settings, state, pass } = managed();
    settings.voice.timeout_ms = 0;
    supervisor.settingsChanged();
    manager.move('voice', 'failed');
    await pass(0);
    assert.equal(state('voice'), 'unknown');
  });

  it('lets go of everything at its end', () => {
    const { manager, supervisor, settings, clock, orders } = managed();
    supervisor.start();
    assert.equal(manager.listeners, 2);
    settings.ai.enabled = false;
    manager.move('ai', 'failed');
    supervisor.close();
    settings.ai.enabled = true;
    supervisor.settingsChanged();
    assert.deepEqual([clock.pending, manager.listeners], [0, 0]);
    manager.move('voice', 'failed');
    assert.deepEqual(orders(), []);
  });

  it('hands on what it knows', async () => {
    const { manager, supervisor, untilGivenUp, settings, clock, log } = flapping();
    await untilGivenUp();
    manager.move('ai', 'stopped', { asked: true });
    supervisor.seen('asr');
    supervisor.close();
    const orders: string[] = [];
    const act = (service: string, verb: string) => void orders.push(`${verb} ${service}`);
    const next = new Supervisor({ clock, log, manager, settings: () => settings, act });
    next.catchUp(supervisor);
    next.connected(true);
    next.start();
    assert.deepEqual(next.report(), supervisor.report());
    assert.deepEqual([next.report().voice.state, next.report().ai.state], ['failed', 'stopped']);
    clock.advance(5000);
    assert.deepEqual(orders, []);
    supervisor.seen('asr');
    next.catchUp(new Supervisor({ clock, log, settings: () => settings }));
    assert.equal(next.report().voice.state, 'failed', 'it knows better');
    next.catchUp(supervisor);
    assert.equal(next.report().asr.last_seen, supervisor.report().asr.last_seen);
  });
});
