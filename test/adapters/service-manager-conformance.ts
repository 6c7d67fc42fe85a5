import assert from 'node:assert/strict';
import type { ErrorCode } from '../../core/model/errors.ts';
import type { ServiceManager, UnitChange, Verb } from '../../core/model/service-manager.ts';
import type { ServiceName } from '../../core/model/services.ts';

/** A manager whose six units run. */
export interface ManagedUnits {
  manager: ServiceManager;
  /** Kills the processes of a unit, which nobody restarts. */
  kill(service: ServiceName): Promise<void>;
  end(): Promise<void>;
}

/** Keeps what is told of the units. */
export class Told {
  readonly changes: UnitChange[] = [];
  readonly stop: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(manager: ServiceManager) {
    this.stop = manager.onUnit((change) => {
      this.changes.push(change);
      for (const look of this.#waiting) look();
    });
  }

  /** Resolves with the first change of the service into the state; the test's time limit ends the wait. */
  until(service: ServiceName, state: UnitChange['state']): Promise<UnitChange> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.changes.find((change) => change.service === service && change.state === state);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  of(service: ServiceName): string[] {
    return this.changes.filter((change) => change.service === service).map(({ state }) => state);
  }
}

export const refused = (manager: ServiceManager, service: string, verb: string, code: ErrorCode): Promise<void> =>
  assert.rejects(manager.act(service as ServiceName, verb as Verb), { code });

/** Names of units that are none of ours, whatever they look like. */
export const FOREIGN = [
  'ssh',
  'motion;reboot',
  '../x',
  '',
  'motion.service',
  'skull-motion',
  'Motion',
  'mоtion',
  'toString',
];

/** What every service manager does. `open` gives a fresh one whose units run. */
export function itManagesServices(open: () => Promise<ManagedUnits>): void {
  let units: ManagedUnits;
  let manager: ServiceManager;
  let told: Told;

  beforeEach(async () => {
    units = await open();
    manager = units.manager;
    told = new Told(manager);
  });

  afterEach(() => units.end());

  it('knows how the units stand', () => {
    assert.equal(manager.connected, true);
    assert.equal(manager.unit('motion'), 'running');
    assert.equal(manager.unit('ai'), 'running');
  });

  it('stops and starts a unit, and tells that it was asked for', async () => {
    assert.equal(await manager.act('motion', 'stop'), 'stopped');
    assert.equal(manager.unit('motion'), 'stopped');
    const { asked, result } = await told.until('motion', 'stopped');
    assert.deepEqual({ asked, result }, { asked: true, result: null });
    assert.equal(await manager.act('motion', 'start'), 'running');
    assert.equal(manager.unit('motion'), 'running');
    assert.equal(told.of('motion').at(-1), 'running');
    assert.deepEqual(told.of('vision'), []);
  });

  it('restarts a unit, which is never stopped in the eyes of who listens', async () => {
    assert.equal(await manager.act('voice', 'restart'), 'running');
    assert.ok(!told.of('voice').includes('stopped'), told.of('voice').join());
    assert.equal(manager.unit('voice'), 'running');
  });

  it('restarts a unit that is stopped', async () => {
    await manager.act('voice', 'stop');
    assert.equal(await manager.act('voice', 'restart'), 'running');
  });

  it('has nothing to do where all is as it shall be', async () => {
    assert.equal(await manager.act('asr', 'start'), 'running');
    await manager.act('asr', 'stop');
    const before = told.changes.length;
    assert.equal(await manager.act('asr', 'stop'), 'stopped');
    assert.equal(told.changes.length, before);
  });

  it('tells of a unit that was killed, and starts it again', async () => {
    await units.kill('audioin');
    const change = await told.until('audioin', 'failed');
    assert.deepEqual(change, {
      service: 'audioin',
      state: 'failed',
      previous: 'running',
      asked: false,
      result: 'signal',
    });
    assert.deepEqual(told.of('audioin'), ['failed']);
    assert.equal(await manager.act('audioin', 'restart'), 'running');
  });

  it('does several things at once', async () => {
    const orders = [manager.act('motion', 'restart'), manager.act('vision', 'stop'), manager.act('ai', 'restart')];
    assert.deepEqual(await Promise.all(orders), ['running', 'stopped', 'running']);
    assert.deepEqual(await Promise.all([manager.act('vision', 'start'), manager.act('vision', 'start')]), [
      'running',
      'running',
    ]);
  });

  it('refuses names and verbs that are not its own', async () => {
    for (const name of FOREIGN) await refused(manager, name, 'stop', 'not_found');
    for (const verb of ['kill', 'reset-failed', 'stop motion', '', 'constructor']) {
      await refused(manager, 'motion', verb, 'not_allowed');
    }
    assert.equal(manager.unit('motion'), 'running');
    assert.deepEqual(told.changes, []);
  });

  it('tells how the connection is at once, and no more to who has gone', async () => {
    const heard: boolean[] = [];
    manager.onConnection((connected) => heard.push(connected))();
    assert.deepEqual(heard, [true]);
    told.stop();
    await manager.act('motion', 'stop');
    assert.deepEqual(told.changes, []);
  });

  it('bears a listener that fails', async () => {
    manager.onUnit(() => assert.fail('a listener'));
    const late = new Told(manager);
    await manager.act('motion', 'stop');
    assert.equal(late.of('motion').at(-1), 'stopped');
  });
}
