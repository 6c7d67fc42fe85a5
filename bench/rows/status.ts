import path from 'node:path';
import { interleave, type RowGroup } from '../rows.ts';
import { API_KEY, startBareHttp, startProduct } from '../subjects.ts';
import { median } from '../support/numbers.ts';
import { nextMessage, ROOT, start } from '../support/process.ts';

interface Figures {
  perSecond: number;
  /** Microseconds. */
  p99: number;
  /** The share of a processor that the load itself took. */
  loadShare: number;
}

/** Asks as fast as it can over keep-alive connections, from a process of its own. */
export async function load(port: number, ms: number): Promise<Figures> {
  const script = path.join(ROOT, 'bench/load/http.ts');
  const running = start(process.execPath, [script, String(port), '/status', API_KEY, String(ms)], { ipc: true });
  const answer = (await nextMessage(running)) as Figures | { error: string };
  await running.stop();
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}

export const status: RowGroup = {
  name: 'status',
  async measure({ quick, progress }) {
    const product = await startProduct();
    const answer = await fetch(`${product.httpUrl}/status`, { headers: { 'x-api-key': API_KEY } });
    if (!answer.ok) throw new Error(`GET /status answered ${answer.status}: ${await answer.text()}`);
    const bare = await startBareHttp((await answer.arrayBuffer()).byteLength);
    const ms = quick ? 1000 : 3000;
    const rounds = await interleave(
      quick ? 2 : 7,
      { bare: () => load(bare.port, ms), product: () => load(Number(new URL(product.httpUrl).port), ms) },
      progress,
    );
    for (const process of [product, bare]) await process.stop();

    const over = (name: keyof typeof rounds, of: keyof Figures) => median(rounds[name].map((one) => one[of]));
    const busy = (name: keyof typeof rounds) => `${Math.round(over(name, 'loadShare') * 100)} %`;
    const against = (of: keyof Figures) => ({ name: 'bare http', value: over('bare', of) });
    return [
      {
        name: 'GET /status, 64 connections',
        value: over('product', 'perSecond'),
        unit: 'req/s',
        against: against('perSecond'),
        target: { at: 'least', value: 0.28 },
        note: `the load took ${busy('product')} and ${busy('bare')} of a processor`,
      },
      { name: 'GET /status p99', value: over('product', 'p99'), unit: 'µs', against: against('p99') },
    ];
  },
};
