import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureProcess } from '../../adapters/telemetry/process-figures.ts';

describe('the figures of the process', () => {
  it('show a blocked event loop, once', async () => {
    const meter = measureProcess();
    try {
      const before = meter.read();
      // After a reading the event loop is not judged before its next round.
      await sleep(450);
      const end = performance.now() + 600;
      while (performance.now() < end);
      await sleep(250);
      const { delay, cpuMs, uptimeMs } = meter.read();
      assert.ok(delay.max >= 350, `max ${delay.max}`);
      assert.ok(delay.p50 < 150 && delay.p50 <= delay.p99 && delay.p99 <= delay.max, JSON.stringify(delay));
      assert.ok(cpuMs - before.cpuMs >= 300, `${cpuMs - before.cpuMs} ms of processor time`);
      assert.ok(uptimeMs - before.uptimeMs >= 600);
      assert.deepEqual(meter.read().delay, { p50: 0, p99: 0, max: 0 });
    } finally {
      meter.close();
    }
  });

  it('are bytes of a live process', () => {
    const meter = measureProcess();
    const { rss, heapUsed } = meter.read();
    meter.close();
    assert.ok(heapUsed > 1_000_000 && rss > heapUsed, `${rss}, ${heapUsed}`);
  });
});
