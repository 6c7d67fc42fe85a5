import type { EventLog } from './event-log.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ServiceManager } from './service-manager.ts';
import type { SongLibrary } from './songs.ts';

export type { Log, LogEntry, LogKind, LogLevel } from './log.ts';

/** The ports through which core reaches time, chance, disk, broker and log. Adapters implement them; tests simulate them. */

/** The time in milliseconds, and timers. */
export interface Clock {
  /** Since the epoch; somebody may set it, forwards and backwards. */
  now(): number;
  /** Since the process began; nobody sets it, as nobody sets the timers. */
  elapsed(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface Random {
  /** A new unique id, short enough to read in a log. */
  id(): string;
  /** A number in [0, 1). */
  next(): number;
}

/** Messages that a link carried, since it was made. */
export interface Traffic {
  in: number;
  out: number;
  /** Those that were not delivered. */
  dropped: number;
}

/** What can be read off the process that we are. */
export interface ProcessReading {
  /** How long rounds of the event loop kept the next one waiting, in milliseconds, since the last reading. */
  delay: { p50: number; p99: number; max: number };
  /** Bytes. */
  rss: number;
  heapUsed: number;
  /** Milliseconds of processor time, of all threads, since the process began. */
  cpuMs: number;
  /** Milliseconds since the process began, by a clock that nobody sets. */
  uptimeMs: number;
}

/** Measures from its making until it is closed. */
export interface ProcessMeter {
  read(): ProcessReading;
  close(): void;
}

/** A message that came from the broker. */
export interface BrokerMessage {
  topic: string;
  payload: Uint8Array;
  /** True when the broker delivered it because we subscribed, not because somebody published it now. */
  stored: boolean;
  /** Whether the publisher asked the broker to retain it; undefined where the broker does not tell (MQTT 3.1.1). */
  retain?: boolean | undefined;
}

export interface PublishOptions {
  qos?: 0 | 1;
  retain?: boolean;
}

export interface SubscribeOptions {
  qos?: 0 | 1;
  /** Received on a connection of its own, so that no queue of other messages stands in front of it. */
  express?: boolean;
}

export interface Will {
  topic: string;
  online: string;
  offline: string;
}

/**
 * A connection to an MQTT broker that never delivers our own messages back to us, publishes every retained topic again
 * after a reconnect, and keeps the order of what it publishes.
 */
export interface BrokerLink {
  /** The broker's URL without credentials. */
  readonly url: string;
  readonly connected: boolean;
  readonly traffic: Readonly<Traffic>;
  publish(topic: string, payload: string, options?: PublishOptions): void;
  /** Held over reconnects, from the first connection to come on. Returns the function that ends it. */
  subscribe(
    filters: readonly string[],
    listener: (message: BrokerMessage) => void,
    options?: SubscribeOptions,
  ): () => void;
  /** Called at once with the present state, then at each change. Returns the function that ends it. */
  onConnection(listener: (connected: boolean) => void): () => void;
  /** Publishes the will's `offline`, flushes what waits and lets go. */
  close(): Promise<void>;
}

export interface BrokerLinkOptions {
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  clientId?: string | undefined;
  will?: Will | undefined;
  log: Log;
}

/** JSON documents in a folder, each written whole or not at all. */
export interface DocumentFolder {
  readonly path: string;
  /** The parsed document; undefined when there is none. Throws SkullError `document_broken` when it is not JSON. */
  load(name: string): unknown;
  /** Resolves once the document is on disk. Calls for one name are carried out in order; only the last of several waiting ones is written. */
  save(name: string, value: unknown): Promise<void>;
  /** Renames a broken document to `<name>.json.<suffix>`. */
  setAside(name: string, suffix: string): void;
  /** Writes `<name>.json.<suffix>` beside the document. */
  saveBeside(name: string, suffix: string, value: unknown): Promise<void>;
  /** Calls the listener with the name of a document that somebody else changed. Returns the function that ends it. */
  watch(listener: (name: string) => void): () => void;
  /** Resolves once nothing waits to be written. */
  flush(): Promise<void>;
}

/** What the nodes of the pack need from the world; the runtime gives its own, a stock Node-RED gets `nodes/stock.ts`. */
export interface PackPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly version: string;
  /** Folder that holds `config/`, `songs/` and `data/`. */
  readonly home: string;
  connect(options: BrokerLinkOptions): BrokerLink;
  documents(folder: 'config' | 'data'): DocumentFolder;
  readonly songs: SongLibrary;
  /** Begins to measure this process. */
  meter(): ProcessMeter;
  readonly events: EventLog;
  /** Undefined where nobody wants any. */
  readonly metrics: Metrics | undefined;
  /** Undefined where services are not managed. */
  readonly services: ServiceManager | undefined;
  /** Aborted when the process is about to end, while everything still works. */
  readonly stopping: AbortSignal;
}
