import type { BrokerMessage, Clock, Log } from '../model/ports.ts';
import { issuesOf } from '../model/schema.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';
import type { Supervisor } from '../supervision/supervisor.ts';
import { SIGNALS } from './topics.ts';

/** Larger payloads are dropped unread. */
const MAX_BYTES = 64 * 1024;
const LOG_EVERY_MS = 60_000;
/** So many topics are counted by name; whoever invents more is counted together. */
const MAX_TOPICS = 200;
const OTHER_TOPICS = '(other)';

interface Dropped {
  count: number;
  loggedAt: number;
  unlogged: number;
}

const isService = (word: string): word is ServiceName => (SERVICES as readonly string[]).includes(word);

/** The door for MQTT payloads: reads and checks them, notes signs of life, drops and counts what does not fit. */
export class Intake {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #life: Pick<Supervisor, 'seen'>;
  readonly #dropped = new Map<string, Dropped>();
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });

  constructor({ clock, log, life }: { clock: Clock; log: Log; life: Pick<Supervisor, 'seen'> }) {
    this.#clock = clock;
    this.#log = log;
    this.#life = life;
  }

  /**
   * The checked data of a message; undefined when it is to be ignored. A topic that is not one of the skull's signals
   * passes as parsed JSON, or as text where it is none.
   */
  read({ topic, payload, stored }: BrokerMessage): unknown {
    const signal = SIGNALS.get(topic);
    const service = signal?.service ?? heartbeatOf(topic);
    if (service !== undefined && !stored) this.#life.seen(service);
    if (signal === undefined && service !== undefined) return stored ? undefined : {};
    if (signal !== undefined && stored && signal.acceptStored === undefined) return undefined;
    if (payload.length > MAX_BYTES) return this.drop(topic, `larger than ${MAX_BYTES} bytes`);
    const text = this.#text(payload);
    if (text === undefined) return this.drop(topic, 'not UTF-8');
    if (signal === undefined) return jsonOrText(text);

    let value: unknown;
    const word = text.trim();
    const first = word.charCodeAt(0);
    if (first === OPEN_BRACE || first === QUOTE || signal.ofWord === undefined) {
      try {
        value = JSON.parse(word);
      } catch {
        // Somebody's words may well begin with a quotation mark.
        if (first !== QUOTE || signal.ofWord === undefined) return this.drop(topic, 'not JSON');
        value = word;
      }
      if (typeof value === 'string') value = signal.ofWord?.(value) ?? value;
      else if (signal.ofObject !== undefined && typeof value === 'object' && value !== null)
        value = signal.ofObject(value);
    } else value = signal.ofWord(word);

    const issues = issuesOf(signal.schema, value);
    if (issues.length > 0)
      return this.drop(topic, issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; '));
    return stored && signal.acceptStored?.(value) !== true ? undefined : value;
  }

  /** Counts a message that does not fit, and says so in the log once a minute per topic. */
  drop(topic: string, reason: string): undefined {
    const name = this.#dropped.has(topic) || this.#dropped.size < MAX_TOPICS ? topic : OTHER_TOPICS;
    const now = this.#clock.elapsed();
    const entry = this.#dropped.get(name) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY, unlogged: 0 };
    this.#dropped.set(name, entry);
    entry.count++;
    entry.unlogged++;
    if (now - entry.loggedAt < LOG_EVERY_MS) return undefined;
    this.#log.warn({
      kind: 'mqtt',
      msg: `dropped a payload on ${name}: ${reason}`,
      topic: name,
      count: entry.unlogged,
    });
    entry.loggedAt = now;
    entry.unlogged = 0;
    return undefined;
  }

  /** Dropped messages by topic, since the start. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map([...this.#dropped].map(([topic, { count }]) => [topic, count]));
  }

  #text(payload: Uint8Array): string | undefined {
    try {
      return this.#utf8.decode(payload);
    } catch {
      return undefined;
    }
  }
}

const OPEN_BRACE = 0x7b;
const QUOTE = 0x22;
const HEARTBEAT = '/heartbeat';

function heartbeatOf(topic: string): ServiceName | undefined {
  if (!topic.endsWith(HEARTBEAT)) return undefined;
  const service = topic.slice(0, -HEARTBEAT.length);
  return isService(service) ? service : undefined;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
