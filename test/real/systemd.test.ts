import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { systemClock } from '../../adapters/system.ts';
import { openServiceManager } from '../../adapters/systemd/open-manager.ts';
import type { ServiceManager } from '../../core/model/service-manager.ts';
import { SimulatedManager } from '../../simulator/manager.ts';
import { FOREIGN, itManagesServices, refused, Told } from '../adapters/service-manager-conformance.ts';
import { insideSystemd } from '../support/inside-systemd.ts';
import { keepingLog } from '../support/ports.ts';
import { RemoteManager } from '../support/remote-manager.ts';
import { freshUnits, makeUser, SLEEPER, sh, writeUnit } from '../support/units.ts';

/** Resolves once the manager is or is not connected; the test's time limit ends the wait. */
function whenConnected(manager: ServiceManager, wanted = true): Promise<void> {
  return new Promise((resolve) => {
    const end = manager.onConnection((connected) => {
      if (connected !== wanted) return;
      resolve();
      setImmediate(() => end());
    });
  });
}

const kill = (service: string, signal = 'KILL') => sh(`systemctl kill --signal=${signal} skull-${service}.service`);

insideSystemd('a real systemd', import.meta.filename, () => {
  let uid: number;
  let manager: RemoteManager;
  let told: Told;

  async function open(kind: 'systemd' | 'systemctl'): Promise<RemoteManager> {
    await freshUnits();
    manager = new RemoteManager(kind, uid);
    await whenConnected(manager);
    return manager;
  }

  before(() => {
    uid = makeUser();
  });

  for (const kind of ['systemd', 'systemctl'] as const) {
    describe(`${kind}, as a user with the polkit rule`, () => {
      itManagesServices(async () => ({
        manager: await open(kind),
        kill: async (service) => void (await kill(service)),
        end: () => manager.close(),
      }));
    });

    describe(`${kind}, with units that others touch too`, () => {
      beforeEach(async () => {
        told = new Told(await open(kind));
      });

      afterEach(() => manager.close());

      it('tells a stop by somebody else from an end of its own accord', async () => {
        await sh('systemctl stop skull-motion');
        assert.equal((await told.until('motion', 'stopped')).asked, true);
        await kill('vision', 'TERM');
        const { asked, result, previous } = await told.until('vision', 'stopped');
        assert.deepEqual({ asked, result, previous }, { asked: false, result: null, previous: 'running' });
        await sh('systemctl start skull-vision');
        assert.equal((await told.until('vision', 'running')).asked, false);
      });

      it('tells of a unit that comes and of one that goes', async () => {
        await sh('systemctl stop skull-ai; rm /etc/systemd/system/skull-ai.service; systemctl daemon-reload');
        await told.until('ai', 'unknown');
        for (const verb of ['start', 'stop', 'restart']) await refused(manager, 'ai', verb, 'not_found');
        writeUnit('ai');
        told.changes.length = 0;
        await sh('systemctl daemon-reload');
        await told.until('ai', 'stopped');
        assert.equal(await manager.act('ai', 'start'), 'running');
      });

      it('says that a unit which fails at its start has failed', async () => {
        writeUnit('asr', 'ExecStart=/bin/false\nType=oneshot');
        await sh('systemctl daemon-reload');
        await refused(manager, 'asr', 'restart', 'conflict');
        assert.equal(manager.unit('asr'), 'failed');
        assert.equal((await told.until('asr', 'failed')).result, 'exit-code');
      });

      it('starts a unit again that fell too often for systemd', async () => {
        writeUnit(
          'asr',
          `ExecStart=/bin/bash -c "[ -e /tmp/fine ] && exec sleep infinity"\nRestart=always\nRestartSec=10ms`,
        );
        await sh('systemctl daemon-reload; systemctl restart skull-asr');
        assert.equal((await told.until('asr', 'failed')).result, 'exit-code');
        await sh('touch /tmp/fine; ! systemctl start skull-asr');
        told.changes.length = 0;
        assert.equal(await manager.act('asr', 'start'), 'running');
        assert.ok(!told.of('asr').includes('stopped'), told.of('asr').join());
        await sh('rm /tmp/fine');
      });

      it('does not take for stopped what waits to be started again', async () => {
        writeUnit('slow', 'Type=oneshot\nExecStart=/bin/sleep 0.5');
        writeUnit('voice', `${SLEEPER}\n[Unit]\nWants=skull-slow.service\nAfter=skull-slow.service`);
        await sh('systemctl daemon-reload; systemctl restart skull-voice');
        await manager.act('voice', 'start');
        assert.ok(!told.of('voice').includes('stopped'), told.of('voice').join());
        await sh(`systemctl restart --no-block skull-voice
          until [ "$(systemctl is-active skull-voice)" = inactive ]; do :; done
          systemctl stop skull-voice`);
        assert.equal((await told.until('voice', 'stopped')).asked, true);
      });

      it('gives up on a unit that takes too long, and goes on with the others', async function () {
        this.timeout(20_000);
        writeUnit('asr', `${SLEEPER}\nType=notify\nTimeoutStartSec=60`);
        await sh('systemctl daemon-reload');
        const late = refused(manager, 'asr', 'restart', 'timeout');
        assert.equal((await told.until('asr', 'starting')).asked, false);
        assert.equal(await manager.act('voice', 'restart'), 'running');
        await late;
        assert.equal(await manager.act('asr', 'stop'), 'stopped');
      });

      it('loses an order to one that comes after it', async () => {
        writeUnit('asr', `${SLEEPER}\nType=notify\nTimeoutStartSec=60`);
        await sh('systemctl daemon-reload');
        const lost = refused(manager, 'asr', 'restart', 'conflict');
        await told.until('asr', 'starting');
        assert.equal(await manager.act('asr', 'stop'), 'stopped');
        await lost;
      });

      it('is forbidden to who is not named in the rule', async () => {
        const nobody = new RemoteManager(kind, Number(await sh('id -u nobody')));
        await whenConnected(nobody);
        for (const verb of ['start', 'stop', 'restart']) await refused(nobody, 'motion', verb, 'forbidden');
        assert.equal(nobody.unit('motion'), 'running');
        await nobody.close();
      });

      it('lets no foreign name and no foreign verb out of the process', async () => {
        const spy = spawn('dbus-monitor', ['--system', '--monitor', "type='method_call'"]);
        let seen = '';
        const until = (text: string) =>
          new Promise<void>((resolve) => {
            const look = () => seen.includes(text) && resolve();
            spy.stdout.on('data', look);
            look();
          });
        spy.stdout.setEncoding('utf8').on('data', (text: string) => {
          seen += text;
        });
        // The monitor says that it is one by losing its name.
        await until('NameLost');
        for (const name of FOREIGN) await refused(manager, name, 'restart', 'not_found');
        await refused(manager, 'motion', 'isolate', 'not_allowed');
        await manager.act('motion', 'restart');
        await until('RestartUnit');
        spy.kill();
        const orders = [...seen.matchAll(/member=(\w+Unit)\n +string "(.*)"/g)].map((found) => found.slice(1));
        assert.deepEqual(
          orders.filter(([member]) => member !== 'GetUnit' && member !== 'LoadUnit'),
          [['RestartUnit', 'skull-motion.service']],
        );
      });
    });
  }

  describe('D-Bus', () => {
    const busPid = () => sh('systemctl show --property=MainPID --value dbus.service');

    beforeEach(async () => {
      told = new Told(await open('systemd'));
    });

    afterEach(() => manager.close());

    it('tells that a unit which has failed is stopped on purpose', async () => {
      await kill('voice');
      assert.equal((await told.until('voice', 'failed')).asked, false);
      told.changes.length = 0;
      await sh('systemctl stop skull-voice');
      assert.equal((await told.until('voice', 'failed')).asked, true);
    });

    it('connects again to a bus that was killed, and sees what has happened meanwhile', async () => {
      const lost = whenConnected(manager, false);
      await sh(`kill -KILL ${await busPid()}`);
      await lost;
      await refused(manager, 'motion', 'restart', 'unavailable');
      await kill('vision');
      await sh('systemctl stop skull-motion');
      await whenConnected(manager);
      assert.equal((await told.until('motion', 'stopped')).asked, true);
      const { asked, result } = await told.until('vision', 'failed');
      assert.deepEqual({ asked, result }, { asked: false, result: 'signal' });
      assert.equal(await manager.act('vision', 'start'), 'running');
      await kill('vision');
      assert.equal(manager.unit('motion'), 'stopped');
    });

    it('goes on when systemd starts itself anew', async () => {
      await sh('systemctl daemon-reexec');
      assert.equal(await manager.act('motion', 'restart'), 'running');
      await kill('motion');
      assert.equal((await told.until('motion', 'failed')).result, 'signal');
    });

    it('does not wait for ever for a bus that hangs', async function () {
      this.timeout(20_000);
      const pid = await busPid();
      await sh(`kill -STOP ${pid}`);
      const late = refused(manager, 'motion', 'restart', 'timeout');
      await late.finally(() => sh(`kill -CONT ${pid}`));
      await manager.act('voice', 'restart');
    });

    it('lets a unit that systemd restarts by itself be starting, never failed', async () => {
      writeUnit('voice', `${SLEEPER}\nRestart=always\nRestartSec=0`);
      await sh('systemctl daemon-reload');
      await manager.act('voice', 'restart');
      told.changes.length = 0;
      for (const signal of ['KILL', 'TERM', 'SEGV']) {
        await kill('voice', signal);
        await told.until('voice', 'running');
        assert.deepEqual(told.of('voice'), ['starting', 'running'], signal);
        told.changes.length = 0;
      }
    });

    it('takes no signal for systemd’s that is somebody else’s', async () => {
      const path = '/org/freedesktop/systemd1/unit/skull_2dmotion_2eservice';
      const body = `org.freedesktop.systemd1.Unit 1 ActiveState s activating 0`;
      await sh(
        `for name in $(busctl list --unique --no-legend | cut -d' ' -f1); do
          busctl emit --destination=$name ${path} org.freedesktop.DBus.Properties PropertiesChanged 'sa{sv}as' ${body}
        done`,
      );
      await manager.act('motion', 'stop');
      assert.ok(!told.of('motion').includes('starting'), told.of('motion').join());
    });
  });

  describe('the choice of a manager', () => {
    const choose = async (choice: 'auto' | 'systemd', simulator = false) => {
      const simulate = async () => new SimulatedManager(keepingLog());
      const found = await openServiceManager({ choice, clock: systemClock, log: keepingLog(), simulate, simulator });
      const { kind, connected } = found ?? {};
      await found?.close();
      return { kind, connected };
    };
    const withoutBus = async (then: () => Promise<void>) => {
      await sh('mv /run/dbus/system_bus_socket /run/dbus/away');
      await then().finally(() => sh('mv /run/dbus/away /run/dbus/system_bus_socket'));
    };

    it('is systemd over D-Bus where it answers', async () => {
      assert.deepEqual(await choose('auto', true), { kind: 'systemd', connected: true });
      assert.deepEqual(await choose('systemd'), { kind: 'systemd', connected: true });
    });

    it('is systemctl where there is no bus', () =>
      withoutBus(async () => {
        assert.deepEqual(await choose('systemd'), { kind: 'systemctl', connected: true });
      }));

    it('is the simulator where systemd does not answer; without it systemd is waited for', async () => {
      const pid = await sh('systemctl show --property=MainPID --value dbus.service');
      await sh(`kill -STOP ${pid}`);
      try {
        assert.deepEqual(await choose('auto', true), { kind: 'simulated', connected: true });
        assert.deepEqual(await choose('auto'), { kind: 'systemd', connected: false });
        assert.deepEqual(await choose('systemd'), { kind: 'systemd', connected: false });
      } finally {
        await sh(`kill -CONT ${pid}`);
      }
    });
  });
});
