import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Mono at 22,050 Hz: 600 ms of a loud tone, of silence, of a quiet tone, of a loud one; tagged, with an index in its first
 * frame. Made with LAME of tones out of a generator.
 */
export const TONES = path.resolve(import.meta.dirname, '../fixtures/tones.mp3');
export const tones = (): Buffer => readFileSync(TONES);

/** MPEG 1, layer III, 44.1 kHz, mono, 128 kbit/s: 417 bytes, 26.12 ms, and nothing but zeros in it is silence. */
export const SILENT_FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0xc4]), Buffer.alloc(413)]);
export const FRAME_MS = (1152 / 44_100) * 1000;

export const silence = (frames: number): Buffer => Buffer.concat(Array(frames).fill(SILENT_FRAME));

/** A first frame that promises so many frames, or bytes. */
export function index(name: 'Xing' | 'Info' | 'VBRI', { frames = 0, bytes = 0 }): Buffer {
  const frame = Buffer.from(SILENT_FRAME);
  if (name === 'VBRI') {
    frame.write(name, 36, 'latin1');
    frame.writeUInt32BE(bytes, 46);
    frame.writeUInt32BE(frames, 50);
    return frame;
  }
  frame.write(name, 21, 'latin1');
  frame.writeUInt32BE((frames > 0 ? 1 : 0) | (bytes > 0 ? 2 : 0), 25);
  if (frames > 0) frame.writeUInt32BE(frames, 29);
  if (bytes > 0) frame.writeUInt32BE(bytes, frames > 0 ? 33 : 29);
  return frame;
}

/** An ID3v2.4 tag with texts by the names of its frames, as `TIT2`. */
export function id3v2(texts: Readonly<Record<string, string>>): Buffer {
  const syncsafe = (size: number) => Buffer.from([21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f));
  const frames = Object.entries(texts).map(([name, text]) => {
    const content = Buffer.from(`\x03${text}`);
    return Buffer.concat([Buffer.from(name), syncsafe(content.length), Buffer.alloc(2), content]);
  });
  const body = Buffer.concat(frames);
  return Buffer.concat([Buffer.from('ID3\x04\x00\x00', 'latin1'), syncsafe(body.length), body]);
}

export const id3v1 = (): Buffer => Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)]);

/** An APE tag; `header`: whether it begins with a header too. */
export function ape({ header = true } = {}): Buffer {
  const items = Buffer.alloc(20);
  const mark = (flags: number) => {
    const bytes = Buffer.alloc(32);
    bytes.write('APETAGEX');
    bytes.writeUInt32LE(2000, 8);
    bytes.writeUInt32LE(items.length + 32, 12);
    bytes.writeUInt32LE(flags, 20);
    return bytes;
  };
  const has = header ? 0x80000000 : 0;
  return Buffer.concat([...(header ? [mark(0xa0000000)] : []), items, mark(has)]);
}

/** A WAV file of a second of silence. */
export function wav(): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + 88_200, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt32LE(88_200, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(88_200, 40);
  return Buffer.concat([head, Buffer.alloc(88_200)]);
}

/** Frames that look alike but for their layer: MPEG 1 layer II, and AAC in ADTS. */
export const LAYER_2 = Buffer.concat(
  Array(20).fill(Buffer.concat([Buffer.from([0xff, 0xfd, 0x80, 0xc4]), Buffer.alloc(413)])),
);
export const ADTS = Buffer.concat(
  Array(20).fill(Buffer.concat([Buffer.from([0xff, 0xf1, 0x50, 0x80, 0x34, 0x1f, 0xfc]), Buffer.alloc(410)])),
);
export const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(500, 0xff)]);
