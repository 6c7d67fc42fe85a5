/**
 * Arguments: port, path, API key, milliseconds. Asks 127.0.0.1 over 64 keep-alive connections, each the next question
 * once the last is answered, and sends `{perSecond, p99, loadShare}` or `{error}` to its parent.
 */
import { connect } from 'node:net';
import { quantile } from '../support/numbers.ts';

const CONNECTIONS = 64;
const WARM_UP_MS = 500;
const [port = '', path = '', key = '', ms = ''] = process.argv.slice(2);
const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${key}\r\n\r\n`);
const samples: number[] = [];
let counting = false;

function finish(message: object): void {
  process.send?.(message, () => process.exit());
}

/** Bytes of the whole answer that begins the text, 0 while its head is not complete. */
function lengthOf(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  if (!text.startsWith('HTTP/1.1 200')) finish({ error: `The answer was ${text.slice(0, 200)}` });
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head));
  if (length === null) finish({ error: 'The answer has no length' });
  return head + 4 + Number(length?.[1]);
}

function ask(): void {
  const socket = connect(Number(port), '127.0.0.1');
  let began = 0;
  let received = 0;
  let head = '';
  let expected = 0;
  const next = () => {
    received = 0;
    expected = 0;
    head = '';
    began = performance.now();
    socket.write(request);
  };
  socket.setNoDelay(true);
  socket.once('connect', next);
  socket.on('error', (error) => finish({ error: error.message }));
  socket.on('close', () => finish({ error: 'The server closed a connection' }));
  socket.on('data', (chunk) => {
    received += chunk.length;
    if (expected === 0) {
      head += chunk.toString('latin1');
      expected = lengthOf(head);
    }
    if (expected === 0 || received < expected) return;
    if (counting) samples.push(performance.now() - began);
    next();
  });
}

for (let n = 0; n < CONNECTIONS; n++) ask();
setTimeout(() => {
  counting = true;
  const began = performance.now();
  const cpu = process.cpuUsage();
  setTimeout(() => {
    const took = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    finish({
      perSecond: (samples.length / took) * 1000,
      p99: quantile(samples, 0.99) * 1000,
      loadShare: (user + system) / 1000 / took,
    });
  }, Number(ms));
}, WARM_UP_MS);
