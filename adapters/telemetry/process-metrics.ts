import type { Metric, Metrics } from '../../core/model/metrics.ts';
import type { ProcessMeter } from '../../core/model/ports.ts';

type Plain = Omit<Metric<never>, 'labels'>;

/** The figures of the process under the names that every Prometheus client gives them. `begin` is called at the first look. */
export function meterProcess(metrics: Metrics, begin: () => ProcessMeter): void {
  const gauge = (metric: Plain, read: () => number, counts = false) =>
    metrics.gauge({ ...metric, labels: [], counts, read: () => [[{}, read()]] });

  gauge(
    { name: 'process_cpu_seconds_total', help: 'Processor time, user and system.' },
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    true,
  );
  gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () => process.memoryUsage.rss());
  gauge(
    { name: 'process_start_time_seconds', help: 'When the process began, since the Unix epoch.' },
    () => performance.timeOrigin / 1000,
  );
  gauge(
    { name: 'nodejs_heap_size_used_bytes', help: 'What JavaScript objects take.' },
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    { name: 'nodejs_heap_size_total_bytes', help: 'What is set aside for JavaScript objects.' },
    () => process.memoryUsage().heapTotal,
  );

  let meter: ProcessMeter | undefined;
  metrics.gauge({
    name: 'nodejs_eventloop_lag_seconds',
    help: 'How long rounds of the event loop kept the next one waiting, since somebody looked last.',
    labels: ['stat'],
    read() {
      meter ??= begin();
      const { p50, p99, max } = meter.read().delay;
      return [
        [{ stat: 'p50' }, p50 / 1000],
        [{ stat: 'p99' }, p99 / 1000],
        [{ stat: 'max' }, max / 1000],
      ];
    },
  });
}
