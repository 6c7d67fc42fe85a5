/** A child that does what its file is called: for tests of how children are looked after. */
import path from 'node:path';

const [, , task, file = ''] = process.argv;
const doings: Readonly<Record<string, () => void>> = {
  answers: () => process.send?.({ answer: `${task} ${file}` }, () => process.exit()),
  crashes: () => process.kill(process.pid, 'SIGSEGV'),
  fails: () => process.exit(3),
  hangs: () => {
    for (;;);
  },
  waits: () => {
    process.on('disconnect', () => process.exit());
    process.send?.({ alive: true });
  },
  nice: async () => {
    const { getPriority } = await import('node:os');
    process.send?.({ answer: [getPriority(), Object.keys(process.env)] }, () => process.exit());
  },
};
doings[path.basename(file).split(/[ .]/)[0] ?? '']?.();
