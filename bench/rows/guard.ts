import { connect, type Socket } from 'node:net';
import { interleave, type Row, type RowGroup } from '../rows.ts';
import { API_KEY, startProduct, startUnguarded } from '../subjects.ts';
import { median, sleep } from '../support/numbers.ts';
import { pssOf } from '../support/proc.ts';
import { load } from './status.ts';

const SETTLE_MS = 10_000;
const READ = `GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${API_KEY}\r\n\r\n`;
const BODY = '{"active":false}';
const WRITE = `POST /estop HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${API_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** One question and its answer, in milliseconds. */
function roundTrip(socket: Socket, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const began = performance.now();
    const read = (piece: Buffer) => {
      answer += piece.toString('latin1');
      const head = answer.indexOf('\r\n\r\n');
      if (head < 0 || answer.length < head + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1])) return;
      const took = performance.now() - began;
      socket.off('data', read);
      if (answer.startsWith('HTTP/1.1 200')) resolve(took);
      else reject(new Error(`The answer was ${answer.slice(0, 200)}`));
    };
    socket.on('data', read);
    socket.write(request);
  });
}

/** The median over one keep-alive connection, each question after the answer to the last one, in milliseconds. */
async function oneByOne(port: number, request: string, count: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const samples: number[] = [];
  for (let n = 0; n < count; n++) samples.push(await roundTrip(socket, request));
  socket.destroy();
  return median(samples.slice(count / 10));
}

export const guard: RowGroup = {
  name: 'guard',
  async measure({ quick, progress }) {
    const [product, unguarded] = [await startProduct(), await startUnguarded()];
    await sleep(SETTLE_MS);
    const pss = { product: pssOf(product.pid), unguarded: pssOf(unguarded.pid) };
    const ports = {
      product: Number(new URL(product.httpUrl).port),
      unguarded: Number(new URL(unguarded.httpUrl).port),
    };
    const [rounds, count, ms] = quick ? [2, 500, 1000] : [7, 3000, 3000];
    const measureAll = async (port: number) => ({
      // First, for what is written is on its way to the disk for a while.
      ...(await load(port, ms)),
      read: await oneByOne(port, READ, count),
      write: await oneByOne(port, WRITE, count),
    });
    const figures = await interleave(
      rounds,
      { unguarded: () => measureAll(ports.unguarded), product: () => measureAll(ports.product) },
      progress,
    );
    for (const process of [product, unguarded]) await process.stop();

    const over = (name: keyof typeof figures, of: 'read' | 'write' | 'perSecond') =>
      median(figures[name].map((one) => one[of]));
    const added = (what: string, of: 'read' | 'write'): Row => ({
      name: `${what}: what the guard adds, p50`,
      value: over('product', of) - over('unguarded', of),
      unit: 'ms',
      target: { at: 'most', value: 0.15 },
      note: `${over('product', of).toFixed(3)} ms, and ${over('unguarded', of).toFixed(3)} ms without it`,
    });
    return [
      added('GET /status', 'read'),
      added('POST /estop', 'write'),
      {
        name: 'GET /status with all guards, 64 connections',
        value: over('product', 'perSecond'),
        unit: 'req/s',
        against: { name: 'the same flows without', value: over('unguarded', 'perSecond') },
        target: { at: 'least', value: 0.9 },
      },
      {
        name: 'PSS after 10 s: what guard, documents and event log add',
        value: pss.product - pss.unguarded,
        unit: 'MiB',
        target: { at: 'most', value: 15 },
        note: `${pss.product.toFixed(1)} MiB, and ${pss.unguarded.toFixed(1)} MiB without them`,
      },
    ];
  },
};
