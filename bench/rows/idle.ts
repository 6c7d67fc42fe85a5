import { SERVICES } from '../../core/model/services.ts';
import { type Bench, interleave, type Row, type RowGroup } from '../rows.ts';
import { MOSQUITTO, type Served, startMosquitto, startPlain, startProduct, startStock } from '../subjects.ts';
import { connect } from '../support/client.ts';
import { median, sleep } from '../support/numbers.ts';
import { cpuOf, pssOf } from '../support/proc.ts';
import type { Running } from '../support/process.ts';

const SETTLE_MS = 10_000;
const WATCH_MS = 10_000;
const BEAT_MS = 5000;
const QUIET = 'idle CPU over 10 s, nothing comes in';
const BEATING = 'idle CPU over 10 s, six services beat';

/** Milliseconds of processor time in ten seconds while nothing comes in, and while the services beat. */
interface Cpu {
  quiet: number;
  beating: number;
}

async function cpuDuring(pid: number, happening: () => Promise<void>): Promise<number> {
  const before = cpuOf(pid);
  await happening();
  return cpuOf(pid) - before;
}

async function beat(mqttUrl: string): Promise<void> {
  const client = await connect(mqttUrl, []);
  for (let n = 0; n < WATCH_MS / BEAT_MS; n++) {
    for (const service of SERVICES) {
      client.publish(`${service}/heartbeat`, '{"uptime_ms":1}');
      await sleep(BEAT_MS / SERVICES.length);
    }
  }
  await client.endAsync(true);
}

async function memoryOf({ pid, stop }: Running): Promise<number> {
  await sleep(SETTLE_MS);
  const pss = pssOf(pid);
  await stop();
  return pss;
}

async function cpuOfIdling({ pid, mqttUrl, stop }: Served): Promise<Cpu> {
  await sleep(SETTLE_MS);
  const figures = {
    quiet: await cpuDuring(pid, () => sleep(WATCH_MS)),
    beating: await cpuDuring(pid, () => beat(mqttUrl)),
  };
  await stop();
  return figures;
}

async function memory({ quick, progress }: Bench): Promise<Row> {
  const { product, stock } = await interleave(
    quick ? 1 : 3,
    { product: async () => memoryOf(await startProduct()), stock: async () => memoryOf(await startStock()) },
    progress,
  );
  return {
    name: 'idle PSS after 10 s',
    value: median(product),
    unit: 'MiB',
    against: { name: 'stock Node-RED, empty flow', value: median(stock) },
    target: { at: 'most', value: 0.9 },
  };
}

/** Both on the same external broker, whose own processor time counts for neither. */
async function cpu({ quick, progress }: Bench): Promise<Row[]> {
  const broker = await startMosquitto();
  const { product, plain } = await interleave(
    quick ? 1 : 3,
    {
      product: async () => cpuOfIdling(await startProduct(broker.mqttUrl)),
      plain: async () => cpuOfIdling(await startPlain(broker.mqttUrl)),
    },
    progress,
  );
  await broker.stop();
  const row = (name: string, of: keyof Cpu): Row => ({
    name,
    value: median(product.map((one) => one[of])),
    unit: 'ms',
    against: { name: 'plain Node-RED', value: median(plain.map((one) => one[of])) },
    target: { at: 'most', value: 0.5 },
  });
  return [row(QUIET, 'quiet'), row(BEATING, 'beating')];
}

export const idle: RowGroup = {
  name: 'idle',
  async measure(bench) {
    const rows = [await memory(bench)];
    if (MOSQUITTO === undefined) {
      bench.skip([QUIET, BEATING], 'mosquitto is not installed: apt-get install mosquitto');
      return rows;
    }
    return [...rows, ...(await cpu(bench))];
  },
};
