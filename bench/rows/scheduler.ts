import path from 'node:path';
import { interleave, type Row, type RowGroup } from '../rows.ts';
import { median } from '../support/numbers.ts';
import { nextMessage, ROOT, start } from '../support/process.ts';

const SIZES = [1e3, 1e4, 1e5, 1e6];
const SWITCHES = 100_000;
const WAITING = 100_000;
const FLOORS = ['buckets', 'buckets with promises'];
/** Up to which size a round of it takes seconds, not minutes. */
const PEERS = { 'p-queue': 1e5, 'async.priorityQueue': 1e6, 'better-queue': 1e4 };

/** Measured in a process of its own, so that nobody cleans up after another. */
async function ask(what: string, count: number): Promise<number> {
  const script = path.join(ROOT, 'bench/load/scheduler.ts');
  const running = start(process.execPath, ['--expose-gc', script, what, String(count)], { ipc: true });
  const answer = await nextMessage(running);
  await running.stop();
  if (typeof answer !== 'number') throw new Error(`${what} answered ${answer}`);
  return answer;
}

export const scheduler: RowGroup = {
  name: 'scheduler',
  async measure({ quick, progress }) {
    const rounds = quick ? 1 : 3;
    const rows: Row[] = [];
    for (const what of ['switch', 'pre-empting switch']) {
      const { p99 } = await interleave(rounds, { p99: () => ask(what, SWITCHES) }, progress);
      rows.push({
        name: `claim → start, ${what}, p99`,
        value: median(p99),
        unit: 'µs',
        target: { at: 'most', value: 50 },
      });
    }
    for (const size of SIZES) {
      const peers = Object.entries(PEERS).filter(([, most]) => size <= most);
      const left = Object.keys(PEERS).filter((name) => peers.every(([other]) => other !== name));
      const queues = ['lane', 'lane with promises', ...FLOORS, ...peers.map(([name]) => name)];
      const subjects = Object.fromEntries(queues.map((name) => [name, () => ask(name, size)]));
      const rates = await interleave(rounds, subjects, (text) => progress(`${size} waiting, ${text}`));
      const of = (name: string) => median(rates[name] ?? []);
      const against = (name: string) => ({ name, value: of(name) });
      const row = { value: of('lane'), unit: 'tasks/s' };
      const waiting = `${size.toLocaleString('en-US')} waiting`;
      const fastest = peers.map(([name]) => name).sort((a, b) => of(b) - of(a))[0] ?? '';
      const others = peers.map(([name]) => `${name} ${Math.round(of(name)).toLocaleString('en-US')}`).join(', ');
      rows.push(
        { ...row, name: `${waiting}, synchronous`, against: against('buckets'), target: { at: 'least', value: 0.5 } },
        {
          ...row,
          name: `${waiting}, with a promise each`,
          value: of('lane with promises'),
          against: against('buckets with promises'),
          target: { at: 'least', value: 0.5 },
        },
        {
          ...row,
          name: `${waiting}, the fastest peer`,
          against: against(fastest),
          target: { at: 'least', value: 1 },
          note: `${others}${left.length > 0 ? `; too slow for this size: ${left.join(', ')}` : ''}`,
        },
      );
    }
    rows.push({ name: 'memory of a waiting activity', value: await ask('memory', WAITING), unit: 'bytes' });
    return rows;
  },
};
