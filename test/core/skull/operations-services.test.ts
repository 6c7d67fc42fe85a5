import assert from 'node:assert/strict';
import { SkullError } from '../../../core/model/errors.ts';
import { VERBS } from '../../../core/model/service-manager.ts';
import { SERVICES } from '../../../core/model/services.ts';
import { OPERATIONS } from '../../../core/skull/operations/index.ts';
import { Supervisor } from '../../../core/supervision/supervisor.ts';
import { MemoryManager } from '../../support/manager.ts';
import { setUp } from '../../support/operations.ts';

/** A character whose services a supervisor sees to. */
function supervised() {
  const manager = new MemoryManager();
  const parts = setUp({ services: manager });
  const { character, clock } = parts;
  const orders: string[] = [];
  const supervisor = new Supervisor({
    clock,
    log: character.log,
    manager,
    settings: () => character.config.get('services'),
    act: (service, verb) => void orders.push(`${verb} ${service}`),
  });
  const release = character.supervise(supervisor);
  supervisor.start();
  const told: string[] = [];
  character.events.onEvent(({ kind, subject, cause }) => {
    if (kind === 'service') told.push(`${subject} ${cause}`);
  });
  return { ...parts, manager, supervisor, orders, told, endSupervision: release };
}

const MALICE = [
  'motion;reboot',
  '../x',
  '..%2Fx',
  'ssh',
  '',
  ' motion',
  'Motion',
  'mоtion',
  'motion\0',
  'skull-motion.service',
];

describe('services over REST', () => {
  it('are listed with their units, in pages', async () => {
    const { ask, character, clock, manager } = supervised();
    character.intake.read({ topic: 'voice/heartbeat', payload: Buffer.from('x'), stored: false });
    manager.move('ai', 'unknown');
    character.config.merge('services', { asr: { enabled: false } }, 'rest');
    const page = Object(await ask('listServices'));
    assert.deepEqual(
      page.items.map(({ name }: { name: string }) => name),
      SERVICES,
    );
    const [, , voice, , asr, ai] = page.items;
    const last_seen = new Date(clock.now()).toISOString();
    const unheard = { state: 'unknown', alive: false, last_seen: null, restarts: 0, unit: 'running', enabled: true };
    assert.deepEqual(voice, { ...unheard, name: 'voice', state: 'alive', alive: true, last_seen });
    assert.deepEqual(asr, { ...unheard, name: 'asr', enabled: false });
    assert.deepEqual(ai, { ...unheard, name: 'ai', unit: 'unknown' });
    const second = Object(await ask('listServices', { query: { limit: '2', cursor: '1.vision' } }));
    assert.equal(second.next_cursor, '3.audioin');
  });

  it('are started, stopped and restarted, and answer how they are then', async () => {
    const { ask, manager, orders, clock } = supervised();
    const asked = async (id: string) => {
      const { name, state, unit, alive } = Object(await ask(id, { params: { name: 'voice' } }));
      return [name, state, unit, alive];
    };
    assert.deepEqual(await asked('stopService'), ['voice', 'stopped', 'stopped', false]);
    clock.advance(3_600_000);
    assert.ok(!orders.some((order) => order.endsWith('voice')));
    assert.deepEqual(await asked('startService'), ['voice', 'restarting', 'running', false]);
    assert.deepEqual(await asked('restartService'), ['voice', 'restarting', 'running', false]);
    assert.deepEqual(manager.jobs, ['stop voice', 'start voice', 'restart voice']);
  });

  it('are only those: any other name goes no further', async () => {
    const { refused, manager } = supervised();
    for (const name of MALICE) {
      for (const verb of VERBS) await refused(`${verb}Service`, 'not_found', { params: { name } });
    }
    await refused('stopService', 'invalid', { params: { name: 'x'.repeat(101) } });
    assert.deepEqual(manager.jobs, []);
  });

  it('say why they cannot be commanded', async () => {
    const { refused, manager, endSupervision } = supervised();
    const params = { name: 'voice' };
    for (const [thrown, answered] of [
      ['conflict', 'conflict'],
      ['timeout', 'timeout'],
      ['not_found', 'not_found'],
      ['forbidden', 'unavailable'],
      ['unavailable', 'unavailable'],
    ] as const) {
      manager.carryOut = () => Promise.reject(new SkullError(thrown, 'so it is'));
      assert.equal((await refused('restartService', answered, { params })).message, 'so it is');
    }
    manager.setConnected(false);
    await refused('stopService', 'unavailable', { params });
    endSupervision();
    assert.match((await refused('stopService', 'unavailable', { params })).message, /skull-health/);
    await refused('stopService', 'not_found', { params: { name: 'ssh' } });
  });

  it('are read by viewers and commanded by admins', () => {
    const roles = OPERATIONS.filter(({ tag }) => tag === 'Services').map(({ id, role }) => `${id} ${role}`);
    assert.deepEqual(roles, ['listServices viewer', ...VERBS.map((verb) => `${verb}Service admin`)]);
  });

  it('are degraded health when one has failed, or their manager is down', async () => {
    const { ask, manager, supervisor, clock } = supervised();
    const health = async () => {
      const { status, checks, problems } = Object(await ask('getHealth'));
      return [status, checks.service_manager, problems.length];
    };
    assert.deepEqual(await health(), ['healthy', 'ok', 0]);
    manager.setConnected(false);
    assert.deepEqual(await health(), ['degraded', 'down', 1]);
    manager.setConnected(true);
    manager.move('voice', 'unknown');
    manager.move('ai', 'stopped', { asked: true });
    assert.deepEqual(await health(), ['healthy', 'ok', 0], 'a service that is missing or stopped is no fault');
    manager.move('asr', 'failed');
    for (let n = 0; n < 60 && supervisor.report().asr.state !== 'failed'; n++) {
      supervisor.done('asr', 'restart', new SkullError('conflict', 'the job failed'));
      clock.advance(1000);
    }
    assert.deepEqual(await health(), ['degraded', 'ok', 1]);
    assert.match(Object(await ask('getHealth')).problems[0], /^Service asr has failed/);
    await ask('stopService', { params: { name: 'asr' } });
    assert.deepEqual(await health(), ['healthy', 'ok', 0]);
  });

  it('are told as events, and told of the broker and the settings, whoever sees to them', async () => {
    const { character, told, clock, link, manager, orders, endSupervision, supervisor } = supervised();
    const beat = () => character.intake.read({ topic: 'voice/heartbeat', payload: Buffer.from('x'), stored: false });
    const events = async () => {
      await new Promise(setImmediate);
      return told.splice(0).filter((event) => event.startsWith('voice'));
    };
    beat();
    link.setConnected(false);
    clock.advance(60_000);
    link.setConnected(true);
    clock.advance(10_000);
    assert.deepEqual(await events(), ['voice heartbeat']);
    character.config.merge('services', { voice: { timeout_ms: 5000 } }, 'rest');
    clock.advance(1);
    assert.deepEqual(await events(), ['voice silence', 'voice restart']);
    assert.deepEqual(orders, ['restart voice']);
    assert.equal(character.status().services.voice.restarts, 1);
    assert.equal(character.supervisor, supervisor);

    supervisor.close();
    endSupervision();
    assert.equal(character.supervisor, undefined);
    assert.deepEqual(character.status().services.voice, supervisor.report().voice);
    beat();
    clock.advance(10_000);
    assert.deepEqual(await events(), ['voice heartbeat', 'voice silence']);
    assert.deepEqual([orders, manager.listeners], [['restart voice'], 0]);
    await character.close();
    // The statechart has a timer of its own.
    assert.deepEqual([link.watchers, clock.pending], [0, 1]);
  });
});
