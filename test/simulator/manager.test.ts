import assert from 'node:assert/strict';
import { SERVICES } from '../../core/model/services.ts';
import { SimulatedManager } from '../../simulator/manager.ts';
import { itManagesServices, Told } from '../adapters/service-manager-conformance.ts';
import { keepingLog } from '../support/ports.ts';
import { play } from './stage.ts';

describe('the simulated service manager', () => {
  itManagesServices(async () => {
    const { simulator } = play();
    const manager = new SimulatedManager(keepingLog());
    const release = manager.manage(simulator.services);
    return {
      manager,
      kill: async (service) => simulator.services[service].behave('crashed'),
      end: async () => {
        release();
        await manager.close();
        await simulator.stop();
      },
    };
  });

  it('has what it does happen to the service', async () => {
    const { simulator, clock, heard } = play();
    const manager = new SimulatedManager(keepingLog());
    manager.manage(simulator.services);
    await manager.act('voice', 'stop');
    assert.equal(simulator.services.voice.behaviour, 'crashed');
    clock.advance(7000);
    heard();
    await manager.act('voice', 'start');
    assert.deepEqual(
      heard('voice/heartbeat').map(({ payload }) => Reflect.get(Object(payload), 'uptime_ms')),
      [0],
    );
    simulator.services.voice.behave('silent');
    clock.advance(1000);
    assert.equal(manager.unit('voice'), 'running');
    await manager.act('voice', 'restart');
    assert.equal(simulator.services.voice.behaviour, 'normal');
    assert.equal(simulator.services.voice.report()?.uptime_ms, 0);
  });

  it('hears of a service that is started without it', async () => {
    const { simulator, send } = play();
    const manager = new SimulatedManager(keepingLog());
    manager.manage(simulator.services);
    const told = new Told(manager);
    send('simulator/asr', { behaviour: 'crashed' });
    send('simulator/asr', { behaviour: 'slow' });
    assert.deepEqual(told.of('asr'), ['failed', 'running']);
  });

  it('keeps the units in mind until there are services, and once they are gone', async () => {
    const manager = new SimulatedManager(keepingLog());
    const told = new Told(manager);
    assert.deepEqual(
      SERVICES.map((service) => manager.unit(service)),
      SERVICES.map(() => 'running'),
    );
    await manager.act('ai', 'stop');
    const { simulator } = play();
    const release = manager.manage(simulator.services);
    assert.equal(simulator.services.ai.behaviour, 'crashed');
    assert.equal(simulator.services.asr.behaviour, 'normal');
    assert.deepEqual(told.of('ai'), ['stopping', 'stopped']);
    release();
    await simulator.stop();
    assert.equal(await manager.act('ai', 'start'), 'running');
    assert.deepEqual(told.of('asr'), []);
  });
});
