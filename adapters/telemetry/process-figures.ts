import { type EventLoopMonitorOptions, monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProcessMeter } from '../../core/model/ports.ts';

/** Where Node.js needs a timer to look at the event loop: rare, for each look wakes the processor. */
const EVERY_MS = 500;

/** Whether this Node.js (from 24.20 on) can look whenever the event loop gets round, and costs nothing while it rests. */
function looksEachRound(): boolean {
  const unfit: object = { samplePerIteration: 'unfit' };
  try {
    monitorEventLoopDelay(unfit);
    return false;
  } catch {
    return true;
  }
}

/** Measures this process, by what Node.js itself keeps. */
export function measureProcess(): ProcessMeter {
  const eachRound = looksEachRound();
  const options: EventLoopMonitorOptions & { samplePerIteration: boolean } = {
    samplePerIteration: eachRound,
    resolution: EVERY_MS,
  };
  const rounds = monitorEventLoopDelay(options);
  rounds.enable();
  // The first round has no beginning.
  const begun = setImmediate(() => rounds.reset());
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - (eachRound ? 0 : EVERY_MS));
  return {
    read() {
      const delay =
        rounds.count === 0
          ? { p50: 0, p99: 0, max: 0 }
          : { p50: late(rounds.percentile(50)), p99: late(rounds.percentile(99)), max: late(rounds.max) };
      rounds.reset();
      const { rss, heapUsed } = process.memoryUsage();
      const { user, system } = process.cpuUsage();
      return { delay, rss, heapUsed, cpuMs: (user + system) / 1000, uptimeMs: performance.now() };
    },
    close() {
      clearImmediate(begun);
      rounds.disable();
    },
  };
}
