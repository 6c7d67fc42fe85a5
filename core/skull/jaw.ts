import type { Clock } from '../model/ports.ts';
import type { Envelope } from '../model/songs.ts';

export interface JawOptions {
  clock: Clock;
  /** Takes a frame: `open` 0 closed … 1 wide, in hundredths; `t` the position in the song in milliseconds. */
  frame: (open: number, t: number) => void;
}

/** 25 frames a second, on the song's own grid: `t` is always a multiple of it. */
const STEP_MS = 40;

/** A timer that is early, or so much too late, tells that somebody set the clock: a song goes on regardless. */
const CLOCK_SET_MS = 5000;

/** How far the jaw is open at a place of the song; closed where the envelope has ended. */
const openAt = ({ frames, frameMs }: Envelope, step: number): number =>
  Math.round(((frames[Math.floor((step * STEP_MS) / frameMs)] ?? 0) / 255) * 100) / 100;

/** The first step after the end of the song. */
const endOf = ({ frames, frameMs }: Envelope): number => Math.ceil((frames.length * frameMs) / STEP_MS);

/**
 * Moves a jaw along a song. Each frame is due at a time that follows from where the song began, so that nothing adds up;
 * a late timer leaves frames out. In silence, and past the end, the jaw is told once to close and then left alone: a
 * servo that is moved all the time wears out.
 */
export class JawTrack {
  readonly #clock: Clock;
  readonly #frame: JawOptions['frame'];
  #envelope: Envelope | undefined;
  /** When the song would have begun, had it been played without a pause up to where it is. */
  #origin = 0;
  #timer: unknown;
  /** The last frame since the song was begun. */
  #open: number | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor({ clock, frame }: JawOptions) {
    this.#clock = clock;
    this.#frame = frame;
  }

  /** The song now plays from this position on. */
  play(envelope: Envelope, positionMs: number): void {
    this.stop();
    this.#envelope = envelope;
    this.#open = undefined;
    this.#moveTo(positionMs, this.#clock.now());
  }

  /** Where the song is now, as its player says. Less than a frame of difference is left as it is. */
  sync(positionMs: number): void {
    const now = this.#clock.now();
    if (Math.abs(positionMs - (now - this.#origin)) < STEP_MS) return;
    // Not sooner after the last frame than ever, however often somebody corrects.
    this.#moveTo(positionMs, Math.max(now, this.#sentAt + STEP_MS));
  }

  /** No frame comes any more, nor one that closes the jaw. */
  stop(): void {
    this.#envelope = undefined;
    this.#clock.clearTimeout(this.#timer);
  }

  #moveTo(positionMs: number, notBefore: number): void {
    if (this.#envelope === undefined) return;
    this.#clock.clearTimeout(this.#timer);
    this.#origin = this.#clock.now() - Math.round(positionMs);
    this.#await(this.#envelope, Math.ceil((notBefore - this.#origin) / STEP_MS));
  }

  /** Sets the timer for this step; while the jaw is closed, for the first one from there on that opens it, if any does. */
  #await(envelope: Envelope, from: number): void {
    let step = from;
    if (this.#open === 0) {
      const end = endOf(envelope);
      while (step < end && openAt(envelope, step) === 0) step += 1;
      if (step >= end) return;
    }
    const wait = Math.max(0, this.#origin + step * STEP_MS - this.#clock.now());
    this.#timer = this.#clock.setTimeout(() => this.#reach(envelope, step), wait);
  }

  #reach(envelope: Envelope, due: number): void {
    const now = this.#clock.now();
    const late = now - (this.#origin + due * STEP_MS);
    if (late < -STEP_MS || late > CLOCK_SET_MS) this.#origin += late;
    const step = Math.max(due, Math.floor((now - this.#origin) / STEP_MS));
    const open = openAt(envelope, step);
    const silent = open === 0 && this.#open === 0;
    this.#open = open;
    this.#await(envelope, step + 1);
    if (silent) return;
    this.#sentAt = now;
    this.#frame(open, step * STEP_MS);
  }
}
