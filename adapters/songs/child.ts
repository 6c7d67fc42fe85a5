/**
 * A process of its own for a file of a stranger's: `read` tells what it is, `envelope` how loud it is. Arguments: what, file.
 * Sends its parent signs of life, then its answer, and ends.
 */
import type { Reading } from './answers.ts';
import { inspect } from './inspect.ts';

async function read(file: string): Promise<Reading> {
  const { fault, durationMs, tagBytes } = inspect(file);
  if (durationMs === null) return { fault, durationMs, title: null, artist: null };
  const { readTags } = await import('./tags.ts');
  return { fault, durationMs, ...(await readTags(file, tagBytes)) };
}

async function envelope(file: string): Promise<Uint8Array | undefined> {
  const { envelopeOf } = await import('./envelope.ts');
  return envelopeOf(file, () => process.send?.({ alive: true }));
}

process.on('disconnect', () => process.exit());
const [, , what, file = ''] = process.argv;
const answer = await (what === 'read' ? read(file) : envelope(file));
process.send?.({ answer }, () => process.exit());
