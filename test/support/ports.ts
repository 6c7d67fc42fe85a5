import { EventLog, RecentEvents } from '../../core/model/event-log.ts';
import type { Log, LogEntry, LogLevel, ProcessMeter, ProcessReading, Random } from '../../core/model/ports.ts';

/** Ids `id-1`, `id-2`, …; numbers from the given list, round and round. */
export function countingRandom(numbers: readonly number[] = [0]): Random {
  let ids = 0;
  let at = 0;
  return { id: () => `id-${++ids}`, next: () => numbers[at++ % numbers.length] ?? 0 };
}

/** A log that keeps its entries. */
export function keepingLog(): Log & { entries: (LogEntry & { level: LogLevel })[] } {
  const entries: (LogEntry & { level: LogLevel })[] = [];
  const at = (level: LogLevel) => (entry: LogEntry) => void entries.push({ ...entry, level });
  return { entries, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An event log that lasts as long as the test. */
export const memoryEvents = (log: Log = keepingLog()): EventLog => new EventLog(new RecentEvents(), log);

/** A meter that shows what the test says. */
export class TestMeter implements ProcessMeter {
  reading: ProcessReading = { delay: { p50: 0, p99: 0, max: 0 }, rss: 0, heapUsed: 0, cpuMs: 0, uptimeMs: 0 };
  closed = false;

  read(): ProcessReading {
    return this.reading;
  }

  close(): void {
    this.closed = true;
  }
}
