import assert from 'node:assert/strict';
import { Notifier } from '../../adapters/systemd/notify.ts';
import { SimulatedClock } from '../support/clock.ts';

/** The real systemd hears it in test/real/deployment.test.ts; here nobody does. */
describe('the notifier', () => {
  const LIMIT = { WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) };
  const NOWHERE = '/nowhere/notify';

  function open(variables: Record<string, string>) {
    const clock = new SimulatedClock();
    const complaints: string[] = [];
    const notifier = new Notifier({ variables, clock, complain: (msg) => complaints.push(msg) });
    return { notifier, clock, complaints };
  }

  it('does nothing where no manager asked for it', async () => {
    const { notifier, clock, complaints } = open(LIMIT);
    await notifier.ready('Ready');
    assert.equal(clock.pending, 0);
    await notifier.stopping();
    assert.deepEqual(complaints, []);
  });

  it('beats three times within the limit of the watchdog, from ready until the stop', async () => {
    const { notifier, clock } = open({ ...LIMIT, NOTIFY_SOCKET: NOWHERE });
    assert.equal(clock.pending, 0);
    await notifier.ready('Ready');
    for (let beats = 0; beats < 3; beats++) {
      assert.equal(clock.pending, 1);
      clock.advance(10_000);
    }
    await notifier.stopping();
    assert.equal(clock.pending, 0);
  });

  it('has no watchdog that is none, or another process’s', async () => {
    for (const limit of [{}, { ...LIMIT, WATCHDOG_USEC: '0' }, { ...LIMIT, WATCHDOG_PID: '1' }]) {
      const { notifier, clock } = open({ ...limit, NOTIFY_SOCKET: NOWHERE });
      await notifier.ready('Ready');
      assert.equal(clock.pending, 0);
    }
  });

  it('complains once when it is not heard, and goes on', async () => {
    const { notifier, complaints } = open({ NOTIFY_SOCKET: NOWHERE });
    await notifier.ready('Ready');
    await notifier.failed('boom');
    assert.equal(complaints.length, 1);
    assert.match(complaints[0] ?? '', /^systemd cannot be told how we are: /);
  });
});
