/** A process that keeps events without end, says which are written, and is killed. */
import { SqliteEvents } from '../../adapters/sqlite/event-store.ts';
import { systemClock } from '../../adapters/system.ts';
import { fact } from './event-file.ts';
import { keepingLog } from './ports.ts';

const [, , file = '', maxBytes] = process.argv;
const store = await SqliteEvents.open({ file, maxBytes: Number(maxBytes), clock: systemClock, log: keepingLog() });
for (let seq = store.lastSeq + 1; ; ) {
  for (const end = seq + 700; seq < end; seq++) store.keep(fact(seq, { data: { filler: 'x'.repeat(500) } }));
  await store.flush();
  process.send?.(seq - 1);
}
