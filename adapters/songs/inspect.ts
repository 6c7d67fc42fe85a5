import { closeSync, openSync } from 'node:fs';
import { endOfAudio, startOfAudio } from './audio-span.ts';
import { Bytes } from './bytes.ts';
import { type Frame, frameOf, HEADER_BYTES, indexIn, isLike, type Promised, SYNC } from './frame.ts';

export interface Inspection {
  /** Why the file is no whole MP3; null where it is one. */
  fault: string | null;
  /** Of the sound that is there; null where there is none. */
  durationMs: number | null;
  /** The length of the tags in front. */
  tagBytes: number;
}

/** A recording that was cut out of a stream begins within a frame, and none is longer. */
const MAX_JUNK_BYTES = 4096;
/** So much may lie between frames, in all; looking through more would take long, and what is behind it is left out. */
const MAX_GAP_BYTES = 256 * 1024;
/** So many frames in a row are no accident. */
const SURE_FRAMES = 3;
/** An index is often a little off; what it promises beyond is missing. */
const TOLERATED_FRAMES = 2;
const TOLERATED_SHARE = 0.01;
const MAX_FRAME_BYTES = 1441;

const NO_MP3 = 'it has no frames of MPEG layer III';
const NO_SOUND = 'it has an index and no sound';
const CUT_IN_TAG = 'it is truncated: it ends within its tag';
const CUT_IN_FRAME = 'it is truncated: it ends within its last frame';

interface Walk {
  frames: number;
  samples: number;
  /** Whether the audio ends before its last frame does. */
  cut: boolean;
}

/** Whether frames follow one another from here on: as many as are no accident, or up to the very end. */
function isChain(bytes: Bytes, from: number, first: Frame, end: number): boolean {
  let place = from;
  for (let count = 0; count < SURE_FRAMES; count++) {
    const frame = frameOf(bytes.at(place, HEADER_BYTES));
    if (!isLike(frame, first) || place + frame.length > end) return count > 0 && place === end;
    place += frame.length;
  }
  return true;
}

/** The next place before `limit` from which frames follow one another. */
function nextChain(bytes: Bytes, from: number, limit: number, end: number, like?: Frame) {
  let place = bytes.find(SYNC, from, limit);
  while (place !== undefined) {
    const frame = frameOf(bytes.at(place, HEADER_BYTES));
    if (frame !== undefined && isChain(bytes, place, like ?? frame, end)) return { place, frame };
    place = bytes.find(SYNC, place + 1, limit);
  }
  return undefined;
}

/** Whether these bytes, less than a header, begin one. */
const isPartOfHeader = (rest: Buffer, first: Buffer): boolean =>
  rest.length > 0 && rest[0] === SYNC && (rest.length < 2 || rest[1] === first[1]);

function walk(bytes: Bytes, from: number, first: Frame, end: number): Walk {
  const firstHeader = Buffer.from(bytes.at(from, HEADER_BYTES));
  const found: Walk = { frames: 0, samples: 0, cut: false };
  let place = from;
  let gap = MAX_GAP_BYTES;
  while (place < end) {
    const header = bytes.at(place, Math.min(HEADER_BYTES, end - place));
    const frame = frameOf(header);
    if (isLike(frame, first)) {
      if (place + frame.length > end) return { ...found, cut: true };
      found.frames += 1;
      found.samples += frame.samples;
      place += frame.length;
    } else {
      if (header.length < HEADER_BYTES) return { ...found, cut: isPartOfHeader(header, firstHeader) };
      const next = nextChain(bytes, place + 1, Math.min(end, place + gap), end, first);
      if (next === undefined) return found;
      gap -= next.place - place;
      place = next.place;
    }
  }
  return found;
}

const isMissing = (promised: number, present: number, tolerated: number): boolean =>
  promised - present > Math.max(tolerated, promised * TOLERATED_SHARE);

/** What the index promises and the file does not have; null where nothing is amiss. */
function missing(promised: Promised, frames: number, bytes: number): string | null {
  if (isMissing(promised.frames, frames, TOLERATED_FRAMES)) {
    return `it is truncated: of the ${promised.frames} frames that it promises ${frames} are there`;
  }
  if (isMissing(promised.bytes, bytes, TOLERATED_FRAMES * MAX_FRAME_BYTES)) {
    return `it is truncated: of the ${promised.bytes} bytes that it promises ${bytes} are there`;
  }
  return null;
}

function inspectBytes(bytes: Bytes): Inspection {
  const tagBytes = startOfAudio(bytes);
  const end = endOfAudio(bytes, tagBytes);
  const first = nextChain(bytes, tagBytes, Math.min(end, tagBytes + MAX_JUNK_BYTES), end);
  if (first === undefined) {
    return { fault: tagBytes > bytes.size ? CUT_IN_TAG : NO_MP3, durationMs: null, tagBytes };
  }
  const { place, frame } = first;
  const promised = indexIn(bytes.at(place, frame.length), frame);
  const { frames, samples, cut } = walk(bytes, place, frame, end);
  const sounding = promised === undefined ? frames : frames - 1;
  if (sounding === 0) return { fault: NO_SOUND, durationMs: null, tagBytes };
  const lack = promised === undefined ? null : missing(promised, sounding, end - place);
  const durationMs = Math.round(((samples / frames) * sounding * 1000) / frame.sampleRate);
  return { fault: cut ? CUT_IN_FRAME : lack, durationMs, tagBytes };
}

/** Walks through all frames of a file. Blocks until it is through: not for the orchestrator's own process. */
export function inspect(file: string): Inspection {
  const fd = openSync(file, 'r');
  try {
    return inspectBytes(new Bytes(fd));
  } finally {
    closeSync(fd);
  }
}
