import { once } from 'node:events';
import path from 'node:path';
import type { Figures, Flood } from '../load/stream.ts';
import type { Row, RowGroup } from '../rows.ts';
import { API_KEY, startProduct } from '../subjects.ts';
import { deadline, median, sleep } from '../support/numbers.ts';
import { cpuOf, pssOf } from '../support/proc.ts';
import { nextMessage, ROOT, type Running, start } from '../support/process.ts';

const READERS = 500;
const PER_SECOND = 50;
/** More than the kernel keeps of a connection, some 4 MB, and we. */
const FLOOD = 40_000;
const SETTLE_MS = 5000;
const SAMPLE_MS = 250;
const ANSWER_MS = 60_000;

/** With these readers: what they got, the product's share of a processor, and its memory over time in MiB. */
interface Watched extends Figures {
  cpuShare: number;
  pss: number[];
}

async function tell<Answer>({ child }: Running, order: object | string): Promise<Answer> {
  child.send(order);
  const [answer] = (await deadline(once(child, 'message'), ANSWER_MS, 'The readers')) as [Answer & { error?: string }];
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}

async function watch(pid: number, load: Running, ms: number): Promise<Watched> {
  const pss: number[] = [];
  const timer = setInterval(() => pss.push(pssOf(pid)), SAMPLE_MS);
  const began = performance.now();
  const cpu = cpuOf(pid);
  const figures = await tell<Figures>(load, { perSecond: PER_SECOND, ms });
  const cpuShare = (cpuOf(pid) - cpu) / (performance.now() - began);
  clearInterval(timer);
  return { ...figures, cpuShare, pss };
}

export const stream: RowGroup = {
  name: 'stream',
  async measure({ quick, progress }) {
    const ms = quick ? 3000 : 10_000;
    const product = await startProduct();
    const { pid } = product;
    const script = path.join(ROOT, 'bench/load/stream.ts');
    const load = start(process.execPath, [script, new URL(product.httpUrl).port, product.mqttUrl, API_KEY], {
      ipc: true,
    });
    await nextMessage(load);
    progress('one reader');
    await tell(load, { readers: 1 });
    await watch(pid, load, 1000);
    const one = await watch(pid, load, ms);
    await sleep(SETTLE_MS);
    const before = pssOf(pid);
    progress(`${READERS} readers`);
    await tell(load, { readers: READERS });
    const many = await watch(pid, load, ms);
    const peak = Math.max(...many.pss);
    await tell(load, 'leave');
    await sleep(2000);
    const after = pssOf(pid);
    progress('a reader that does not read');
    const { cutOff, heard } = await tell<Flood>(load, { flood: FLOOD });
    for (const process of [load, product]) await process.stop();
    return [...deliveryOf(one, many), ...memoryOf(before, peak, after, many.pss), floodOf(cutOff, heard)];
  },
};

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function deliveryOf(one: Watched, many: Watched): Row[] {
  const name = `event to ${READERS} readers, ${PER_SECOND} events/s`;
  return [
    { name: `${name}, p50`, value: many.p50, unit: 'µs', against: { name: 'to one reader', value: one.p50 } },
    { name: `${name}, p99`, value: many.p99, unit: 'µs', against: { name: 'to one reader', value: one.p99 } },
    {
      name: `${name}, lost, doubled or out of order`,
      value: many.wrong + one.wrong,
      unit: '',
      target: { at: 'most', value: 0 },
      note: `${many.events} events to each`,
    },
    {
      name: `${name}, share of a processor`,
      value: many.cpuShare * 100,
      unit: '%',
      against: { name: 'for one reader', value: one.cpuShare * 100 },
      note: `the readers themselves took ${percent(many.loadShare)}`,
    },
  ];
}

/** The bounds are ours: 40 KiB for each reader, and what comes and goes with the garbage collector. */
function memoryOf(before: number, peak: number, after: number, pss: readonly number[]): Row[] {
  const half = pss.slice(pss.length / 2);
  const growth = median(half.slice(half.length / 2)) - median(half.slice(0, half.length / 2));
  return [
    {
      name: `memory for ${READERS} readers, peak`,
      value: peak - before,
      unit: 'MiB',
      target: { at: 'most', value: 20 },
      note: `PSS ${before.toFixed(1)} MiB before, ${after.toFixed(1)} MiB 2 s after they have left`,
    },
    {
      name: `memory for ${READERS} readers, growth in the second half`,
      value: growth,
      unit: 'MiB',
      target: { at: 'most', value: 3 },
    },
  ];
}

const floodOf = (cutOff: boolean, heard: number): Row => ({
  name: `a reader that never reads, cut off in a flood of ${FLOOD} events`,
  value: cutOff ? 1 : 0,
  unit: '',
  target: { at: 'least', value: 1 },
  note: `one that reads got ${heard} of them in order`,
});
