import path from 'node:path';
import type { MqttClient } from 'mqtt';
import { type Bench, interleave, type Row, type RowGroup } from '../rows.ts';
import { MOSQUITTO, type Product, type Served, startMosquitto, startProduct } from '../subjects.ts';
import { connect } from '../support/client.ts';
import { median, quantile, sleep } from '../support/numbers.ts';
import { nextMessage, ROOT, start } from '../support/process.ts';
import { ask, rehearse } from '../support/songs.ts';

const SONG = 'swell';
const SONG_BYTES = 5_000_000;
const STEP_MS = 40;
const SETTLE_MS = 500;
const PER_SECOND = 200;
/** What comes in while the skull sings and changes nothing. */
const EVENTS = [
  ['vision/pose', '{"x":0.2,"y":-0.1}'],
  ['vision/motion', '{"score":0.9}'],
  ['audio/vad', '{"active":true}'],
  ['vision/pose', '{"x":0.3,"y":-0.2}'],
  ['vision/heartbeat', '{"uptime_ms":1}'],
] as const;

/** How far each interval between frames was from 40 ms, in milliseconds, either way. */
type Jitter = number[];

/** Begins to send so many events a second; the returned function ends it. */
function disturb(client: MqttClient): () => void {
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < ((performance.now() - began) * PER_SECOND) / 1000; sent++) {
      const [topic, payload] = EVENTS[sent % EVENTS.length] ?? EVENTS[0];
      client.publish(topic, payload);
    }
  }, 1000 / PER_SECOND);
  return () => clearInterval(timer);
}

/** Watches the frames at a broker while events come in there. */
async function watch({ mqttUrl }: Pick<Served, 'mqttUrl'>, ms: number): Promise<Jitter> {
  const client = await connect(mqttUrl, ['motion/jaw']);
  const jitter: Jitter = [];
  const settled = performance.now() + SETTLE_MS;
  const end = disturb(client);
  let last = 0;
  client.on('message', () => {
    const now = performance.now();
    if (last > settled) jitter.push(Math.abs(now - last - STEP_MS));
    last = now;
  });
  await sleep(SETTLE_MS + ms);
  end();
  await client.endAsync(true);
  if (jitter.length < (ms / STEP_MS) * 0.9)
    throw new Error(`Only ${jitter.length} intervals between frames in ${ms} ms`);
  return jitter;
}

interface Figures {
  product: Jitter;
  /** A bare timer, at the same time. */
  bare: Jitter | undefined;
}

function rowOf(name: string, rounds: Figures[]): Row {
  const product = rounds.flatMap((round) => round.product);
  const bare = rounds.flatMap((round) => round.bare ?? []);
  const ms = (value: number) => value.toFixed(2);
  const floor = bare.length === 0 ? '' : `; a bare timer at the same time: p99 ${ms(quantile(bare, 0.99))} ms`;
  return {
    name: `jaw frames, p99 jitter under ${PER_SECOND} events/s, ${name} broker`,
    value: quantile(product, 0.99),
    unit: 'ms',
    target: { at: 'most', value: 5 },
    note: `${product.length} intervals, p50 ${ms(median(product))} ms, worst ${ms(Math.max(...product))} ms${floor}`,
  };
}

export const jaw: RowGroup = {
  name: 'jaw',
  async measure({ quick, skip, progress }: Bench) {
    const ms = quick ? 4000 : 20_000;
    const play = (product: Product, floor?: Served) => async (): Promise<Figures> => {
      await ask(product, 'POST', '/song/play', { song: SONG });
      const [heard, bare] = await Promise.all([watch(product, ms), floor && watch(floor, ms)]);
      await ask(product, 'POST', '/song/stop');
      return { product: heard, bare };
    };
    const rounds = quick ? 1 : 3;
    const embedded = await startProduct();
    await rehearse(embedded, SONG, SONG_BYTES);
    if (MOSQUITTO === undefined) {
      skip(['jaw frames, external broker'], 'mosquitto is not installed: apt-get install mosquitto');
      const found = await interleave(rounds, { embedded: play(embedded) }, progress);
      await embedded.stop();
      return [rowOf('embedded', found.embedded)];
    }
    const [floorBroker, broker] = [await startMosquitto(), await startMosquitto()];
    const script = path.join(ROOT, 'bench/floor/timer.mjs');
    const timer = start(process.execPath, [script, floorBroker.mqttUrl], { ipc: true });
    await nextMessage(timer);
    const external = await startProduct(broker.mqttUrl);
    await rehearse(external, SONG, SONG_BYTES);
    const subjects = { embedded: play(embedded, floorBroker), external: play(external, floorBroker) };
    const found = await interleave(rounds, subjects, progress);
    for (const process of [timer, embedded, external, floorBroker, broker]) await process.stop();
    return [rowOf('embedded', found.embedded), rowOf('external', found.external)];
  },
};
