/** A process that ends as told: `node ending.ts <what happens> <how the stop goes>`. */
import { endWithProcess } from '../../runtime/process.ts';

const [, , happens = '', stopping = ''] = process.argv;
const say = ({ msg }: { msg: string }) => void process.stdout.write(`${msg}\n`);
const keepAlive = setInterval(() => {}, 1000);
endWithProcess({
  log: { debug: say, info: say, warn: say, error: say, flushSync: () => process.stdout.write('flushed\n') },
  stop: async () => {
    if (stopping === 'never') await new Promise(() => {});
    if (stopping === 'fails') throw new Error('stop');
    clearInterval(keepAlive);
  },
});
if (happens === 'throws')
  setImmediate(() => {
    throw new Error('boom');
  });
if (happens === 'rejects') void Promise.reject(new Error('boom'));
if (happens === 'signals') {
  process.kill(process.pid, 'SIGTERM');
  setImmediate(() => setImmediate(() => process.kill(process.pid, 'SIGINT')));
}
if (happens === 'signal') process.kill(process.pid, 'SIGINT');
