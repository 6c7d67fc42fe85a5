/** A process that writes one document again and again and says what is on disk, until it is killed. */
import { JsonFolder } from '../../adapters/files/json-folder.ts';

const folder = new JsonFolder(process.argv[2] ?? '.');
const filler = 'x'.repeat(100_000);
for (let n = 1; ; n++) {
  await folder.save('vision', { n, filler });
  process.send?.(n);
}
