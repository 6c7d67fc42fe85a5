import path from 'node:path';
import type { Bench, Row, RowGroup } from '../rows.ts';
import { MOSQUITTO, type Served, startMosquitto, startProduct } from '../subjects.ts';
import { connect } from '../support/client.ts';
import { enterConversation } from '../support/conversation.ts';
import { LATCH, press } from '../support/estop.ts';
import { median, quantile, sleep } from '../support/numbers.ts';
import { cpuOf } from '../support/proc.ts';
import { nextMessage, ROOT, type Running, start } from '../support/process.ts';

/** So many events must wait when the latch falls, and so many are sent for that. */
const WAITING = 20_000;
const FLOOD = 25_000;

/** Resolves once the processes have nothing left to do. */
async function drained(pids: readonly number[]): Promise<void> {
  const total = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  for (let quiet = 0, before = total(); quiet < 3; ) {
    await sleep(30);
    const now = total();
    quiet = now - before < 6 ? quiet + 1 : 0;
    before = now;
  }
}

interface Figures {
  /** Each after a pause, as the loaded ones, and so on cores that have gone to sleep. */
  unloaded: number[];
  /** One right after the other. */
  inARow: number[];
  loaded: number[];
  /** Events that waited when each latch fell. */
  waiting: number[];
}

async function measure(product: Served, brokers: readonly Running[], samples: number, bench: Bench): Promise<Figures> {
  await enterConversation(product.mqttUrl);
  const client = await connect(product.mqttUrl, [LATCH]);
  const script = path.join(ROOT, 'bench/load/flood.ts');
  const flood = start(process.execPath, [script, new URL(product.mqttUrl).port], { ipc: true });
  await nextMessage(flood);
  const pids = [product, ...brokers].map(({ pid }) => pid);
  const figures: Figures = { unloaded: [], inARow: [], loaded: [], waiting: [] };
  for (let n = 0; n < samples * 2; n++) {
    figures.inARow.push(await press(client, 'on'));
    await press(client, 'off');
  }

  for (let tries = 0; figures.loaded.length < samples && tries < samples * 2; tries++) {
    if (tries % 10 === 0) bench.progress(`${figures.loaded.length} of ${samples} presses`);
    figures.unloaded.push(await press(client, 'on'));
    await press(client, 'off');

    flood.child.send({ flood: FLOOD });
    await nextMessage(flood);
    // Presses fall on different moments of the flood.
    await sleep((tries % 10) * 10);
    const report = nextMessage(flood) as Promise<{ states: number }>;
    const took = await press(client, 'on');
    const { states } = await report;
    // Fewer waited where this process slept too long: such a press shows nothing.
    if (FLOOD - states >= WAITING) {
      figures.loaded.push(took);
      figures.waiting.push(FLOOD - states);
    }
    await drained(pids);
    await press(client, 'off');
  }
  await client.endAsync(true);
  await flood.stop();
  if (figures.loaded.length < samples) throw new Error(`Only ${figures.loaded.length} presses met ${WAITING} events`);
  return figures;
}

function rowOf(name: string, { unloaded, inARow, loaded, waiting }: Figures): Row {
  const p50 = (figures: number[]) => Math.round(median(figures));
  return {
    name: `e-stop p99 while 20,000 events wait, ${name} broker`,
    value: quantile(loaded, 0.99),
    unit: 'µs',
    against: { name: 'its own p50 unloaded', value: median(unloaded) },
    target: { at: 'most', value: 20 },
    note: `${loaded.length} presses, p50 ${p50(loaded)} µs, at least ${Math.min(...waiting)} waiting; unloaded in a row ${p50(inARow)} µs`,
  };
}

export const estop: RowGroup = {
  name: 'estop',
  async measure(bench) {
    const samples = bench.quick ? 10 : 100;
    const embedded = await startProduct();
    const rows = [rowOf('embedded', await measure(embedded, [], samples, bench))];
    await embedded.stop();
    if (MOSQUITTO === undefined) {
      bench.skip(['e-stop p99, external broker'], 'mosquitto is not installed: apt-get install mosquitto');
      return rows;
    }
    const broker = await startMosquitto();
    const external = await startProduct(broker.mqttUrl);
    rows.push(rowOf('external', await measure(external, [broker], samples, bench)));
    await external.stop();
    await broker.stop();
    return rows;
  },
};
