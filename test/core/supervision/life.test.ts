import assert from 'node:assert/strict';
import { SignsOfLife } from '../../../core/supervision/life.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { keepingLog } from '../../support/ports.ts';

function life(timeoutOf: (service: string) => number = () => 15_000) {
  const clock = new SimulatedClock();
  const log = keepingLog();
  const signs = new SignsOfLife(clock, timeoutOf, log);
  const changes: string[] = [];
  signs.onChange(() => changes.push(`${signs.report().voice.state} ${signs.report().ai.state}`));
  return { clock, signs, changes, log };
}

describe('signs of life', () => {
  it('tell who was heard, when, and who fell silent', () => {
    const { clock, signs, changes } = life();
    signs.seen('voice');
    assert.deepEqual(signs.report().voice, {
      state: 'alive',
      alive: true,
      last_seen: '2026-01-01T00:00:00.000Z',
      restarts: 0,
    });
    assert.deepEqual(signs.report().ai, { state: 'unknown', alive: false, last_seen: null, restarts: 0 });
    clock.advance(10_000);
    signs.seen('ai');
    clock.advance(5000);
    assert.equal(signs.report().voice.state, 'alive', 'still within its time');
    clock.advance(60_000);
    signs.seen('voice');
    assert.deepEqual(changes, ['alive unknown', 'alive alive', 'silent alive', 'silent silent', 'alive silent']);
  });

  it('say of whom they speak, each by itself', () => {
    const { clock, signs } = life();
    const told: string[] = [];
    const end = signs.onChange((service, state) => told.push(`${service} ${state}`));
    signs.seen('voice');
    signs.seen('ai');
    clock.advance(60_000);
    end();
    signs.seen('ai');
    assert.deepEqual(told, ['voice alive', 'ai alive', 'voice silent', 'ai silent']);
  });

  it('tell the others when one listener fails', () => {
    const { clock, signs, log } = life();
    const told: string[] = [];
    signs.onChange(() => {
      throw new Error('a bad listener');
    });
    signs.onChange((_service, state) => told.push(state));
    signs.seen('voice');
    clock.advance(60_000);
    assert.deepEqual(told, ['alive', 'silent']);
    assert.match(log.entries[0]?.msg ?? '', /voice: a listener failed: a bad listener/);
  });

  it('say nothing while everybody beats, and let no beat move a timer', () => {
    const { clock, signs, changes } = life();
    for (let beat = 0; beat < 100; beat++) {
      signs.seen('voice');
      clock.advance(5000);
      assert.ok(clock.pending <= 1);
    }
    assert.equal(changes.length, 1);
  });

  it('never call a service silent whose limit is 0', () => {
    const { clock, signs } = life((service) => (service === 'voice' ? 0 : 1000));
    signs.seen('voice');
    clock.advance(86_400_000);
    assert.equal(signs.report().voice.state, 'alive');
    assert.equal(clock.pending, 0);
  });

  it('let go of their timer', () => {
    const { clock, signs } = life();
    signs.seen('voice');
    signs.close();
    assert.equal(clock.pending, 0);
  });
});
