import { open } from 'node:fs/promises';
import { MPEGDecoder } from 'mpg123-decoder';
import { FRAME_MS } from './answers.ts';

const CHUNK_BYTES = 32 * 1024;
/** What lies below (full scale is 1) is silence, however quiet the song. */
const SILENCE = 0.001;
/** Of the song's own loudness: what lies below is silence beside it. */
const GATE = 0.08;
/** Which share of the sounding frames opens the jaw less than wide. */
const WIDE_OPEN = 0.95;
/** Which share of the way the jaw goes in a frame: it opens faster than it closes, and trembles with neither. */
const ATTACK = 0.6;
const RELEASE = 0.4;
/** What is left of the way to closed, below which it is closed. */
const CLOSED = 0.1;

/** The root mean square of each frame of sound that is put in, whatever the pieces. */
class Meter {
  readonly levels: number[] = [];
  #sum = 0;
  #count = 0;
  /** Time in the present frame, in milliseconds. */
  #ms = 0;

  put(channels: readonly Float32Array[], samples: number, sampleRate: number): void {
    const step = 1000 / sampleRate;
    for (let index = 0; index < samples; index++) {
      for (const channel of channels) this.#sum += (channel[index] ?? 0) ** 2;
      this.#count += channels.length;
      this.#ms += step;
      if (this.#ms >= FRAME_MS) this.#next();
    }
  }

  end(): void {
    if (this.#count > 0) this.#next();
  }

  #next(): void {
    this.levels.push(Math.sqrt(this.#sum / this.#count));
    this.#sum = 0;
    this.#count = 0;
    this.#ms -= FRAME_MS;
  }
}

/** How far a jaw opens for these levels, 0 … 255: measured by the song's own loudness, closed in silence, and never jerked. */
export function jawOf(levels: readonly number[]): Uint8Array {
  const sounding = levels.filter((level) => level >= SILENCE).sort((a, b) => a - b);
  const loud = sounding[Math.floor((sounding.length - 1) * WIDE_OPEN)] ?? 1;
  let open = 0;
  return Uint8Array.from(levels, (level) => {
    const target = level < SILENCE || level < loud * GATE ? 0 : Math.min(1, level / loud);
    open += (target - open) * (target > open ? ATTACK : RELEASE);
    if (target === 0 && open < CLOSED) open = 0;
    return Math.round(open * 255);
  });
}

/**
 * Decodes a song piece by piece; undefined where nothing of it can be decoded. `alive` is called after each piece. Blocks
 * while it decodes: not for the orchestrator's own process.
 */
export async function envelopeOf(file: string, alive: () => void): Promise<Uint8Array | undefined> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const meter = new Meter();
  const handle = await open(file);
  try {
    for await (const chunk of handle.createReadStream({ highWaterMark: CHUNK_BYTES })) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(chunk);
      if (samplesDecoded > 0) meter.put(channelData, samplesDecoded, sampleRate);
      alive();
    }
  } finally {
    await handle.close();
  }
  meter.end();
  return meter.levels.length === 0 ? undefined : jawOf(meter.levels);
}
