import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from '../../adapters/songs/inspect.ts';
import { readTags } from '../../adapters/songs/tags.ts';
import {
  ADTS,
  ape,
  FRAME_MS,
  id3v1,
  id3v2,
  index,
  LAYER_2,
  PNG,
  SILENT_FRAME,
  silence,
  tones,
  wav,
} from '../support/mp3.ts';

describe('the inspection of a file that shall be an MP3', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'skull-inspect-'));
    file = path.join(folder, 'x.mp3');
  });
  after(() => rmSync(folder, { recursive: true }));

  const inspected = (...parts: (Buffer | string)[]) => {
    writeFileSync(file, Buffer.concat(parts.map((part) => Buffer.from(part))));
    return inspect(file);
  };
  const isWhole = (frames: number, ...parts: (Buffer | string)[]) => {
    const { fault, durationMs } = inspected(...parts);
    assert.deepEqual([fault, durationMs], [null, Math.round(frames * FRAME_MS)]);
  };
  const isTruncated = (...parts: (Buffer | string)[]) => assert.match(String(inspected(...parts).fault), /truncated/);
  const isNone = (...parts: (Buffer | string)[]) => {
    const { fault, durationMs } = inspected(...parts);
    assert.deepEqual([typeof fault, durationMs], ['string', null]);
    assert.doesNotMatch(String(fault), /truncated/);
  };

  it('takes frames of layer III, with or without an index and tags around them', () => {
    isWhole(40, silence(40));
    isWhole(40, index('Info', { frames: 40, bytes: 41 * 417 }), silence(40));
    isWhole(40, index('VBRI', { frames: 40, bytes: 41 * 417 }), silence(40));
    isWhole(40, index('Xing', { frames: 41 }), silence(40));
    isWhole(40, id3v2({ TIT2: 'x' }), silence(40), id3v1());
    isWhole(40, id3v2({}), ape(), silence(40), ape(), id3v1());
    isWhole(40, silence(40), ape({ header: false }));
    isWhole(40, silence(40), 'LYRICSBEGINla la000016LYRICS200', id3v1());
    const { fault, durationMs } = inspected(tones());
    assert.deepEqual([fault, durationMs], [null, 2484]);
  });

  it('takes padding behind, a piece of a frame before, and what lies between frames', () => {
    isWhole(40, silence(40), Buffer.alloc(100_000));
    isWhole(40, SILENT_FRAME.subarray(100), silence(40));
    isWhole(40, silence(20), 'something between', silence(20));
  });

  it('refuses what is no MP3', () => {
    isNone('');
    isNone('ID3');
    isNone('a text '.repeat(1000));
    isNone(PNG);
    isNone(wav());
    isNone(LAYER_2);
    isNone(Buffer.concat(Array(20).fill(Buffer.concat([Buffer.from([0xff, 0xfd, 0x90, 0xc4]), Buffer.alloc(413)]))));
    isNone('a text with ', SILENT_FRAME.subarray(0, 4), ' in it '.repeat(1000));
    isNone(ADTS);
    isNone(Buffer.alloc(10_000, 0xff));
    isNone(Buffer.alloc(8192, 'x'), silence(40));
    isNone(id3v2({ TIT2: 'only a tag' }));
    isNone(SILENT_FRAME.subarray(0, 4));
    isNone(index('Info', { frames: 40 }), index('Info', { frames: 40 }).subarray(0, 100));
  });

  it('says of a truncated one that it is', () => {
    const song = tones();
    for (const kept of [0.99, 0.9, 0.5, 0.1]) isTruncated(song.subarray(0, Math.floor(song.length * kept)));
    isTruncated(silence(40).subarray(0, -1));
    for (const bytes of [1, 2, 3, 4, 200]) isTruncated(silence(40), SILENT_FRAME.subarray(0, bytes));
    isTruncated(silence(40).subarray(0, -100), id3v1());
    isTruncated(index('Info', { frames: 400 }), silence(40));
    isTruncated(index('Xing', { bytes: 401 * 417 }), silence(40));
    isTruncated(index('VBRI', { frames: 400 }), silence(40));
    isTruncated(id3v2({ TIT2: 'x'.repeat(1000) }).subarray(0, 500));
  });

  it('still tells how long the rest of a truncated one is', () => {
    assert.equal(inspected(silence(40).subarray(0, -1)).durationMs, Math.round(39 * FRAME_MS));
  });

  it('comes to an end with tags that lie about their size', () => {
    const huge = Buffer.from('ID3\x04\x00\x00\x7f\x7f\x7f\x7f', 'latin1');
    isTruncated(huge, silence(40));
    const lying = ape();
    lying.writeUInt32LE(0xffffffff, lying.length - 20);
    isWhole(40, silence(40), lying);
    isWhole(40, silence(40), 'LYRICSBEGIN-99999LYRICS200', id3v1());
  });

  it('reads title and artist, without what cannot be shown', async () => {
    const read = async (texts: Record<string, string>) => {
      const { tagBytes } = inspected(id3v2(texts), silence(40));
      return readTags(file, tagBytes);
    };
    assert.deepEqual(await read({ TIT2: 'Noël 🎃', TPE1: 'É' }), { title: 'Noël 🎃', artist: 'É' });
    assert.deepEqual(await read({ TIT2: ' a\u0007\u001b[31mb\u202e\n' }), { title: 'a[31mb', artist: null });
    assert.deepEqual(await read({ TIT2: '🎃'.repeat(300) }), { title: '🎃'.repeat(200), artist: null });
    assert.deepEqual(await read({}), { title: null, artist: null });
    assert.deepEqual(await readTags(path.join(folder, 'missing.mp3'), 0), { title: null, artist: null });
  });
});
