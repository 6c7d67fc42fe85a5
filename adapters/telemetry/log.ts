import path from 'node:path';
import type { Log, LogEntry, LogLevel } from '../../core/model/ports.ts';
import { LineFile } from './line-file.ts';
import { redactor } from './redact.ts';
import { prettyLine } from './terminal.ts';

export interface LogOptions {
  /** Where `orchestrator.log` is; made when missing. */
  folder: string;
  level: LogLevel;
  /** Where a person may be looking: all lines on a terminal, else only what is not in the daily course. */
  terminal?: { isTTY?: boolean; write(text: string): unknown } | undefined;
  /** Told when the file fails, for the log itself cannot say it. */
  stderr?: { write(text: string): unknown };
  /** Values that no line may show. */
  secrets?: readonly string[];
}

export interface FileLog extends Log {
  /** What keeps lines from the file now; empty when all is well. */
  problems(): string[];
  flush(): Promise<void>;
  /** Writes what waits before the process ends at once. */
  flushSync(): void;
  close(): Promise<void>;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const DAILY: ReadonlySet<string> = new Set(['transition', 'rest', 'activity', 'mqtt', 'run']);

/** What JSON cannot carry is shown as text; an Error with its stack, for it is the log that it is kept for. */
function presentable(entry: LogEntry): LogEntry {
  const copy: LogEntry = { ...entry };
  for (const [name, value] of Object.entries(entry)) {
    if (value instanceof Error) copy[name] = value.stack ?? String(value);
  }
  return copy;
}

const holdsError = (entry: LogEntry): boolean => {
  for (const name in entry) if (entry[name] instanceof Error) return true;
  return false;
};

/** JSON lines in `orchestrator.log` (rotated, at most 50 MB in all) and, for people, on the terminal. Never throws. */
export function openLog({ folder, level, terminal, stderr = process.stderr, secrets = [] }: LogOptions): FileLog {
  let problem: string | undefined;
  const file = new LineFile({
    path: path.join(folder, 'orchestrator.log'),
    onProblem: (text) => {
      problem = text;
      if (text !== undefined) stderr.write(`The log ${text}\n`);
    },
    onLost: (count) => write('warn', { kind: 'system', msg: `${count} lines of this log were lost.` }),
  });
  const stringify = redactor(secrets);
  const threshold = LEVELS.indexOf(level);

  function serialise(level: LogLevel, entry: LogEntry): string {
    const time = new Date().toISOString();
    try {
      return stringify({ time, level, ...(holdsError(entry) ? presentable(entry) : entry) });
    } catch {
      // A field that refers to itself or holds a BigInt must not cost the line.
      return stringify({ time, level, kind: entry.kind, msg: entry.msg });
    }
  }

  function write(level: LogLevel, entry: LogEntry): void {
    const line = serialise(level, entry);
    file.write(`${line}\n`);
    if (terminal === undefined) return;
    const matters = level === 'warn' || level === 'error' || !DAILY.has(entry.kind);
    if (terminal.isTTY || matters) terminal.write(`${prettyLine(line, terminal.isTTY === true)}\n`);
  }

  const at = (level: LogLevel) =>
    LEVELS.indexOf(level) < threshold ? () => {} : (entry: LogEntry) => write(level, entry);

  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    problems: () => (problem === undefined ? [] : [problem]),
    flush: () => file.flush(),
    flushSync: () => file.flushSync(),
    close: () => file.close(),
  };
}
