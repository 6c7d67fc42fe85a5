/**
 * Arguments: the product's HTTP port, its broker's URL, API key. On `{readers}` from its parent it opens so many streams of
 * events, each on a bare connection, and sends `'ready'` once all have begun; on `{perSecond, ms}` it changes the mode so
 * often by MQTT, and sends `Figures`; on `{flood: n}` it opens one stream more, which it does not read, changes the mode n
 * times at once, and sends `Flood`; on `'leave'` it closes all streams and sends `'left'`.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { connect } from '../support/client.ts';
import { quantile, sleep } from '../support/numbers.ts';
import { until } from '../support/process.ts';

export interface Figures {
  /** Events that each reader got. */
  events: number;
  /** Gaps, doubles and what came out of order, of all readers. */
  wrong: number;
  /** Microseconds from the change to the reader. */
  p50: number;
  p99: number;
  /** The share of a processor that the load itself took. */
  loadShare: number;
}

export interface Flood {
  /** Whether the stream that was not read was broken off. */
  cutOff: boolean;
  /** How many of the flood a reader who reads got, in order. */
  heard: number;
}

interface Reader {
  socket: Socket;
  /** Number of the last event; 0 before the first. */
  last: number;
  /** Changes of the mode that it has heard of. */
  changes: number;
  rest: string;
}

const WAIT_MS = 20_000;
const [port = '', mqttUrl = '', key = ''] = process.argv.slice(2);
const request = `GET /events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${key}\r\n\r\n`;
const readers: Reader[] = [];
/** When each change was sent. */
const sent: number[] = [];
let samples: number[] = [];
let wrong = 0;

const client = await connect(mqttUrl, []);

function hear(reader: Reader, text: string, now: number): void {
  const whole = reader.rest + text;
  const end = whole.lastIndexOf('\n\n');
  reader.rest = end < 0 ? whole : whole.slice(end + 2);
  for (const [, id, kind] of whole.slice(0, Math.max(end, 0)).matchAll(/^id: (\d+)\nevent: (\w+)$/gm)) {
    if (reader.last > 0 && Number(id) !== reader.last + 1) wrong++;
    reader.last = Number(id);
    const began = kind === 'transition' ? sent[reader.changes++] : undefined;
    if (began !== undefined) samples.push((now - began) * 1000);
  }
}

/** A stream that has begun. */
function open(): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(Number(port), '127.0.0.1', () => socket.write(request));
    const reader: Reader = { socket, last: 0, changes: sent.length, rest: '' };
    socket.on('error', reject);
    socket.once('data', (head) => {
      if (!head.toString('latin1').startsWith('HTTP/1.1 200')) reject(new Error(`The answer was ${head}`));
      socket.on('data', (chunk) => hear(reader, chunk.toString('latin1'), performance.now()));
      resolve(reader);
    });
  });
}

/** Modes in turn, so that each is a change. */
function change(): void {
  const mode = sent.length % 2 === 0 ? 'Accueil' : 'Idle';
  sent.push(performance.now());
  client.publish('skull/mode', mode);
}

/** Resolves once every reader has heard of every change. */
const allHeard = () =>
  until(async () => (readers.every(({ changes }) => changes === sent.length) ? true : undefined), WAIT_MS, 'An event');

async function openMore(count: number): Promise<void> {
  // No more at a time than a listening socket surely keeps.
  while (readers.length < count) {
    const more = Math.min(50, count - readers.length);
    readers.push(...(await Promise.all(Array.from({ length: more }, open))));
  }
}

async function measure(perSecond: number, ms: number): Promise<Figures> {
  samples = [];
  wrong = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  const first = sent.length;
  while (performance.now() - began < ms) {
    const due = began + ((sent.length - first) * 1000) / perSecond;
    await sleep(Math.max(0, due - performance.now()));
    change();
  }
  const { user, system } = process.cpuUsage(cpu);
  const loadShare = (user + system) / 1000 / (performance.now() - began);
  await allHeard();
  const events = sent.length - first;
  // Every reader ends with the same event.
  wrong += readers.filter(({ last }) => last !== readers[0]?.last).length;
  return { events, wrong, p50: quantile(samples, 0.5), p99: quantile(samples, 0.99), loadShare };
}

async function flood(count: number): Promise<Flood> {
  await openMore(1);
  const lazy = await open();
  const ended = new Promise<true>((resolve) => lazy.socket.once('close', () => resolve(true)));
  lazy.socket.pause();
  wrong = 0;
  const before = readers[0]?.changes ?? 0;
  for (let n = 0; n < count; n++) change();
  await allHeard();
  const heard = wrong === 0 ? (readers[0]?.changes ?? 0) - before : 0;
  // What lies in the connection comes first, then its end, or a silence.
  lazy.socket.resume();
  const cutOff = await Promise.race([ended, sleep(2000).then(() => false)]);
  lazy.socket.destroy();
  return { cutOff, heard };
}

async function obey(order: { readers?: number; perSecond?: number; ms?: number; flood?: number } | 'leave') {
  if (order === 'leave') {
    for (const { socket } of readers.splice(0)) socket.destroy();
    return 'left';
  }
  if (order.flood !== undefined) return flood(order.flood);
  if (order.perSecond !== undefined) return measure(order.perSecond, order.ms ?? 0);
  await openMore(order.readers ?? 0);
  return 'ready';
}

process.on('message', (order: Parameters<typeof obey>[0]) => {
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('connected');
