import assert from 'node:assert/strict';
import { createMetrics } from '../../adapters/telemetry/metrics.ts';
import { meterProcess } from '../../adapters/telemetry/process-metrics.ts';
import { TestMeter } from '../support/ports.ts';
import { readPrometheus } from '../support/prometheus.ts';

describe('the metrics', () => {
  const said = { name: 'words_total', help: 'Words.', labels: ['lang'] } as const;

  it('go on with a counter and a histogram of the same name', async () => {
    const metrics = createMetrics();
    const took = { name: 'took_seconds', help: 'Time.', labels: ['what'], buckets: [0.1, 1] } as const;
    metrics.counter(said)({ lang: 'fr' });
    metrics.counter(said)({ lang: 'fr' }, 2);
    metrics.counter(said)({ lang: 'en' }, 0);
    for (const seconds of [0.05, 0.5, 5]) metrics.histogram(took)({ what: 'x' }, seconds);
    assert.deepEqual(
      [...readPrometheus(await metrics.render())],
      [
        ['words_total{lang="fr"}', 3],
        ['words_total{lang="en"}', 0],
        ['took_seconds_bucket{le="0.1",what="x"}', 1],
        ['took_seconds_bucket{le="1",what="x"}', 2],
        ['took_seconds_bucket{le="+Inf",what="x"}', 3],
        ['took_seconds_sum{what="x"}', 5.55],
        ['took_seconds_count{what="x"}', 3],
      ],
    );
  });

  it('read a gauge when somebody looks, only the last one of a name, and only until it ends', async () => {
    const metrics = createMetrics();
    let seen: readonly (readonly [{ who: string }, number])[] = [
      [{ who: 'a' }, 1],
      [{ who: 'b' }, 2],
    ];
    const about = { name: 'height', help: 'Height.', labels: ['who'] } as const;
    const endFirst = metrics.gauge({ ...about, read: () => assert.fail('asked though replaced') });
    const end = metrics.gauge({ ...about, read: () => seen });
    endFirst();
    assert.deepEqual([...readPrometheus(await metrics.render()).values()], [1, 2]);
    seen = [[{ who: 'b' }, -3]];
    assert.deepEqual([...readPrometheus(await metrics.render())], [['height{who="b"}', -3]]);
    end();
    assert.equal((await metrics.render()).trim(), '');
  });

  it('show as a counter what counts elsewhere', async () => {
    const metrics = createMetrics();
    metrics.gauge({ ...said, counts: true, read: () => [[{ lang: 'fr' }, 7]] });
    await metrics.render();
    assert.match(await metrics.render(), /# TYPE words_total counter\nwords_total\{lang="fr"\} 7\n/);
  });

  it('write labels so that they can be read, whatever they are', async () => {
    const metrics = createMetrics();
    metrics.counter(said)({ lang: 'a "b"\\\n,{}=' });
    assert.deepEqual([...readPrometheus(await metrics.render())], [['words_total{lang="a \\"b\\"\\\\\\n,{}="}', 1]]);
  });

  it('show the process, and begin to measure its event loop when somebody looks', async () => {
    const metrics = createMetrics();
    const meter = new TestMeter();
    let begun = 0;
    meterProcess(metrics, () => {
      begun++;
      return meter;
    });
    assert.equal(begun, 0);
    await metrics.render();
    meter.reading = { ...meter.reading, delay: { p50: 1, p99: 20, max: 300 } };
    const samples = readPrometheus(await metrics.render());
    assert.equal(begun, 1);
    const lag = ['p50', 'p99', 'max'].map((stat) => samples.get(`nodejs_eventloop_lag_seconds{stat="${stat}"}`));
    assert.deepEqual(lag, [0.001, 0.02, 0.3]);
    const value = (name: string) => samples.get(name) ?? assert.fail(name);
    assert.ok(value('process_cpu_seconds_total') > 0);
    assert.ok(value('process_resident_memory_bytes') > value('nodejs_heap_size_used_bytes'));
    assert.ok(value('nodejs_heap_size_total_bytes') > 0);
    assert.ok(Math.abs(value('process_start_time_seconds') - (Date.now() / 1000 - process.uptime())) < 2);
  });
});
