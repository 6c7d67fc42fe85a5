import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { MqttClient } from 'mqtt';
import type { Bench, Row, RowGroup } from '../rows.ts';
import { API_KEY, MOSQUITTO, type Product, startEcho, startMosquitto, startProduct } from '../subjects.ts';
import { connect } from '../support/client.ts';
import { connectToStates, roundTrips } from '../support/conversation.ts';
import { LATCH, press } from '../support/estop.ts';
import { deadline, median, quantile, sleep } from '../support/numbers.ts';
import { forgetPeak, hasChild, ownPeakOf } from '../support/proc.ts';
import { ROOT, start, until, WORK } from '../support/process.ts';
import { ask, songOf } from '../support/songs.ts';

const BYTES = 49_000_000;
const UPLOAD_MS = 60_000;
const ENVELOPE_MS = 60_000;

interface Figures {
  /** Microseconds from press to latch. */
  calm: number[];
  uploading: number[];
  /** Of a bare echo, on the same machine at the same times. */
  echo: { calm: number[]; uploading: number[] };
  /** How many were pressed while an envelope was computed too. */
  decoding: number;
  uploads: number;
  /** MiB of the main process, without and with uploads. */
  peak: { calm: number; uploading: number };
}

/** One event to a bare client and its answer, in microseconds. */
type Echo = () => Promise<number>;

/** Presses at moments that have nothing to do with what else goes on. */
async function presses(client: MqttClient, echo: Echo, count: number, each: () => void) {
  const estop: number[] = [];
  const bare: number[] = [];
  for (let n = 0; n < count; n++) {
    await sleep(10 + (n % 7) * 5);
    estop.push(await press(client, 'on'));
    each();
    await sleep(10);
    await press(client, 'off');
    await sleep(10);
    bare.push(await echo());
  }
  return { estop, bare };
}

async function measure(product: Product, echo: Echo, bench: Bench): Promise<Figures> {
  const [rounds, count] = bench.quick ? [1, 40] : [4, 150];
  const file = path.join(WORK, 'long.mp3');
  writeFileSync(file, songOf(BYTES));
  const client = await connect(product.mqttUrl, [LATCH]);
  const figures: Figures = {
    calm: [],
    uploading: [],
    echo: { calm: [], uploading: [] },
    decoding: 0,
    uploads: 0,
    peak: { calm: 0, uploading: 0 },
  };
  const isDecoding = () => hasChild(product.pid, 'envelope');
  await presses(client, echo, 20, () => {});
  for (let round = 1; round <= rounds; round++) {
    bench.progress(`round ${round} of ${rounds}, calm`);
    forgetPeak(product.pid);
    const calm = await presses(client, echo, count, isDecoding);
    figures.calm.push(...calm.estop);
    figures.echo.calm.push(...calm.bare);
    figures.peak.calm = Math.max(figures.peak.calm, ownPeakOf(product.pid));

    bench.progress(`round ${round} of ${rounds}, uploading`);
    const uploader = start(
      process.execPath,
      [path.join(ROOT, 'bench/load/upload.ts'), product.httpUrl, API_KEY, file],
      { ipc: true },
    );
    const ended = once(uploader.child, 'exit');
    uploader.child.on('message', () => figures.uploads++);
    await deadline(once(uploader.child, 'message'), UPLOAD_MS, 'The first upload');
    forgetPeak(product.pid);
    const uploading = await presses(client, echo, count, () => {
      if (isDecoding()) figures.decoding++;
    });
    if (uploader.child.exitCode !== null) throw new Error('The uploads have ended too soon');
    figures.uploading.push(...uploading.estop);
    figures.echo.uploading.push(...uploading.bare);
    figures.peak.uploading = Math.max(figures.peak.uploading, ownPeakOf(product.pid));
    uploader.child.send('stop');
    await ended;
    await ask(product, 'DELETE', '/song/long');
    await until(async () => (isDecoding() ? undefined : true), ENVELOPE_MS, 'The end of the envelope');
  }
  await client.endAsync(true);
  return figures;
}

function rowsOf(name: string, { calm, uploading, echo, decoding, uploads, peak }: Figures): Row[] {
  const row = (share: number, most: number): Row => {
    const bare = quantile(echo.uploading, share) / quantile(echo.calm, share);
    return {
      name: `e-stop p${share * 100} during uploads of 49 MB, ${name} broker`,
      value: quantile(uploading, share),
      unit: 'µs',
      against: { name: 'without', value: quantile(calm, share) },
      target: { at: 'most', value: most },
      note: `a bare mqtt.js echo at the same times: ${bare.toFixed(2)} ×`,
    };
  };
  return [
    row(0.5, 1.25),
    row(0.99, 2),
    {
      name: `e-stop p99 during uploads against p50 without, ${name} broker`,
      value: quantile(uploading, 0.99),
      unit: 'µs',
      against: { name: 'its own p50 without', value: median(calm) },
      target: { at: 'most', value: 20 },
      note: `${uploading.length} presses, ${decoding} while an envelope was computed, ${uploads} uploads`,
    },
    {
      name: `peak memory of the main process during uploads, ${name} broker`,
      value: peak.uploading,
      unit: 'MiB',
      against: { name: 'its peak without', value: peak.calm },
      target: { at: 'most', value: 1.5 },
    },
  ];
}

export const upload: RowGroup = {
  name: 'upload',
  async measure(bench) {
    if (MOSQUITTO === undefined) {
      bench.skip(['e-stop during uploads'], 'mosquitto is not installed: apt-get install mosquitto');
      return [];
    }
    const floorBroker = await startMosquitto();
    const bare = await startEcho(floorBroker.mqttUrl);
    const floor = await connectToStates(floorBroker.mqttUrl);
    const echo = async () => (await roundTrips(floor, 1))[0] ?? Number.NaN;
    const embedded = await startProduct();
    const rows = rowsOf('embedded', await measure(embedded, echo, bench));
    await embedded.stop();
    const broker = await startMosquitto();
    const external = await startProduct(broker.mqttUrl);
    rows.push(...rowsOf('external', await measure(external, echo, bench)));
    await floor.endAsync(true);
    for (const process of [external, broker, bare, floorBroker]) await process.stop();
    return rows;
  },
};
