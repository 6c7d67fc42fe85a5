import assert from 'node:assert/strict';
import { EventHub } from '../../../core/skull/events.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { keepingLog, memoryEvents } from '../../support/ports.ts';

const hubWith = (log = keepingLog()) => new EventHub({ clock: new SimulatedClock(), events: memoryEvents(log) });

const fact = { kind: 'run', subject: 'r', cause: 'test', data: {} } as const;

describe('the hub of events', () => {
  it('tells each listener of each event, in order, after what is being done', async () => {
    const hub = hubWith();
    const told: number[] = [];
    hub.onEvent(({ seq }) => told.push(seq));
    hub.append(fact);
    hub.append(fact);
    assert.deepEqual(told, []);
    await Promise.resolve();
    assert.deepEqual(told, [1, 2]);
  });

  it('goes on when a listener fails, and logs it', async () => {
    const log = keepingLog();
    const hub = hubWith(log);
    const told: number[] = [];
    hub.onEvent(() => {
      throw new Error('a bad listener');
    });
    hub.onEvent(({ seq }) => told.push(seq));
    hub.append(fact);
    hub.append(fact);
    await new Promise(setImmediate);
    assert.deepEqual(told, [1, 2]);
    assert.deepEqual(
      log.entries.map(({ level, kind, msg }) => [level, kind, msg]),
      [1, 2].map(() => ['error', 'run', 'r: a listener failed on the event test: a bad listener']),
    );
  });

  it('of several characters come in the order of their numbers', async () => {
    const clock = new SimulatedClock();
    const events = memoryEvents();
    const [one, other] = [new EventHub({ clock, events }), new EventHub({ clock, events })];
    const told: number[] = [];
    events.onEvent(({ seq }) => told.push(seq));
    for (const hub of [one, other, one, other]) hub.append(fact);
    await Promise.resolve();
    assert.deepEqual(told, [1, 2, 3, 4]);
  });
});
