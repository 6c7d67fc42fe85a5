import type { Bytes } from './bytes.ts';

/** Seven bits a byte, as ID3v2 writes sizes. */
const syncsafe = (bytes: Buffer): number => bytes.reduce((sum, part) => sum * 128 + (part & 0x7f), 0);

/** Where the tags in front (ID3v2, APE) end; behind the end of the file where it ends within one. */
export function startOfAudio(bytes: Bytes): number {
  let place = 0;
  for (;;) {
    const head = bytes.at(place, 32);
    if (head.length >= 10 && head.toString('latin1', 0, 3) === 'ID3') {
      const footer = ((head[5] ?? 0) & 0x10) === 0 ? 0 : 10;
      place += 10 + syncsafe(head.subarray(6, 10)) + footer;
    } else if (head.length === 32 && head.toString('latin1', 0, 8) === 'APETAGEX') {
      place += 32 + head.readUInt32LE(12);
    } else {
      return place;
    }
  }
}

/** How long the tag is that ends here (ID3v1, Lyrics3, APE, ID3v2.4 with a footer); 0 where none does. */
function tagBefore(bytes: Bytes, end: number): number {
  if (bytes.text(end - 128, 3) === 'TAG') return 128;
  if (bytes.text(end - 9, 9) === 'LYRICS200') return 15 + Number(bytes.text(end - 15, 6));
  if (bytes.text(end - 10, 3) === '3DI') return 20 + syncsafe(bytes.at(end - 4, 4));
  if (bytes.text(end - 32, 8) !== 'APETAGEX') return 0;
  const footer = bytes.at(end - 32, 32);
  return footer.readUInt32LE(12) + (footer.readUInt32LE(20) >>> 31 === 0 ? 0 : 32);
}

/** Where the tags behind the audio begin. */
export function endOfAudio(bytes: Bytes, start: number): number {
  let end = bytes.size;
  for (;;) {
    const length = tagBefore(bytes, end);
    // What leads out of the file is no tag.
    if (!(length > 0 && length <= end - start)) return end;
    end -= length;
  }
}
