/** A frame of MPEG audio layer III, as its header tells of it. */
export interface Frame {
  version: 1 | 2 | 2.5;
  sampleRate: number;
  mono: boolean;
  /** In bytes, header included. */
  length: number;
  /** Per channel. */
  samples: number;
}

export const SYNC = 0xff;
export const HEADER_BYTES = 4;

const BITRATES_1 = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_2 = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const SAMPLE_RATES = [44_100, 48_000, 32_000];
const VERSIONS = [2.5, undefined, 2, 1] as const;
const LAYER_3 = 1;

/** The frame that has this header; undefined where it is none of layer III, or one whose length the header does not say. */
export function frameOf(header: Buffer): Frame | undefined {
  if (header.length < HEADER_BYTES) return undefined;
  const [sync, kind = 0, rates = 0, rest = 0] = header;
  if (sync !== SYNC || (kind & 0xe0) !== 0xe0 || ((kind >> 1) & 3) !== LAYER_3) return undefined;
  const version = VERSIONS[(kind >> 3) & 3];
  const fullRate = SAMPLE_RATES[(rates >> 2) & 3];
  const kbits = (version === 1 ? BITRATES_1 : BITRATES_2)[(rates >> 4) - 1];
  if (version === undefined || fullRate === undefined || kbits === undefined) return undefined;
  const sampleRate = fullRate / { 1: 1, 2: 2, 2.5: 4 }[version];
  const samples = version === 1 ? 1152 : 576;
  const padding = (rates >> 1) & 1;
  const length = Math.floor(((samples / 8) * kbits * 1000) / sampleRate) + padding;
  return { version, sampleRate, mono: rest >> 6 === 3, length, samples };
}

/** Whether both can be of one recording. */
export const isLike = (frame: Frame | undefined, first: Frame): frame is Frame =>
  frame !== undefined && frame.version === first.version && frame.sampleRate === first.sampleRate;

/** How long the whole is by the index of the file itself; 0 where it does not say. */
export interface Promised {
  frames: number;
  bytes: number;
}

/** The index that the first frame holds in place of sound (Xing, Info or VBRI); undefined where it is a frame like others. */
export function indexIn(bytes: Buffer, { version, mono }: Frame): Promised | undefined {
  const side = version === 1 ? (mono ? 17 : 32) : mono ? 9 : 17;
  const xing = HEADER_BYTES + side;
  const name = bytes.toString('latin1', xing, xing + 4);
  if ((name === 'Xing' || name === 'Info') && bytes.length >= xing + 16) {
    const flags = bytes.readUInt32BE(xing + 4);
    const hasFrames = (flags & 1) !== 0;
    return {
      frames: hasFrames ? bytes.readUInt32BE(xing + 8) : 0,
      bytes: (flags & 2) === 0 ? 0 : bytes.readUInt32BE(xing + (hasFrames ? 12 : 8)),
    };
  }
  const vbri = HEADER_BYTES + 32;
  if (bytes.toString('latin1', vbri, vbri + 4) === 'VBRI' && bytes.length >= vbri + 18) {
    return { frames: bytes.readUInt32BE(vbri + 14), bytes: bytes.readUInt32BE(vbri + 10) };
  }
  return undefined;
}
