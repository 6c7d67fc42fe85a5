import { parseFile } from 'music-metadata';
import { printable } from './names.ts';

export interface Tags {
  title: string | null;
  artist: string | null;
}

const MAX_CHARACTERS = 200;
/** Larger tags are pictures, or made to fill our memory. */
const MAX_TAG_BYTES = 16 * 2 ** 20;

const cleaned = (text: string | undefined): string | null =>
  [...printable(text ?? '').trim()].slice(0, MAX_CHARACTERS).join('').trim() || null;

/** What the tags of a file say; nothing where they cannot be read. */
export async function readTags(file: string, tagBytes: number): Promise<Tags> {
  if (tagBytes > MAX_TAG_BYTES) return { title: null, artist: null };
  try {
    const { common } = await parseFile(file, { skipCovers: true });
    return { title: cleaned(common.title), artist: cleaned(common.artist) };
  } catch {
    return { title: null, artist: null };
  }
}
