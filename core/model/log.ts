export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogKind = 'transition' | 'service' | 'rest' | 'config' | 'activity' | 'run' | 'mqtt' | 'system';

/** One JSON line: `kind` and `msg` always, any further field that helps a reader. Secrets never. */
export interface LogEntry {
  kind: LogKind;
  msg: string;
  [field: string]: unknown;
}

export type Log = Record<LogLevel, (entry: LogEntry) => void>;
