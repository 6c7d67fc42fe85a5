import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { openServiceManager } from '../../adapters/systemd/open-manager.ts';
import { SimulatedManager } from '../../simulator/manager.ts';
import { SimulatedClock } from '../support/clock.ts';
import { keepingLog } from '../support/ports.ts';

describe('the choice of a service manager', () => {
  const log = keepingLog();
  const choose = (choice: 'auto' | 'simulated' | 'none', simulator: boolean) => {
    const simulate = async () => new SimulatedManager(log);
    return openServiceManager({ choice, clock: new SimulatedClock(), log, simulate, simulator });
  };

  it('is none where none is wanted', async () => {
    assert.equal(await choose('none', true), undefined);
    assert.equal(log.entries.at(-1)?.msg, 'Services are not managed.');
  });

  it('is the simulated one where that is wanted, with or without a simulator', async () => {
    assert.equal((await choose('simulated', false))?.kind, 'simulated');
    assert.equal(log.entries.at(-1)?.msg, 'Services are managed by the simulator.');
  });

  it('is the simulated one, or none, where there is no systemd', async () => {
    // Where there is one, test/real/systemd.test.ts tells.
    if (existsSync('/run/systemd/system')) return;
    assert.equal((await choose('auto', true))?.kind, 'simulated');
    assert.equal(await choose('auto', false), undefined);
  });
});
