import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Clock } from '../../../core/model/ports.ts';
import type { Envelope } from '../../../core/model/songs.ts';
import { JawTrack } from '../../../core/skull/jaw.ts';
import { SimulatedClock } from '../../support/clock.ts';

const envelope = (...frames: number[]): Envelope => ({ frameMs: 40, frames: Uint8Array.from(frames) });

describe('a jaw along a song', () => {
  let clock: SimulatedClock;
  /** [milliseconds since the test began, open, t] */
  let frames: [number, number, number][];
  let track: JawTrack;
  const build = (of: Clock = clock) => {
    const began = clock.now();
    return new JawTrack({ clock: of, frame: (open, t) => void frames.push([of.now() - began, open, t]) });
  };

  beforeEach(() => {
    clock = new SimulatedClock();
    frames = [];
    track = build();
  });

  it('shows each 40 ms of the song when it is heard, and closes at the end', () => {
    track.play(envelope(255, 128, 3), 0);
    clock.advance(1000);
    assert.deepEqual(frames, [
      [0, 1, 0],
      [40, 0.5, 40],
      [80, 0.01, 80],
      [120, 0, 120],
    ]);
    assert.equal(clock.pending, 0);
  });

  it('stays on the grid of the song where it begins in between', () => {
    track.play(envelope(255, 255, 255, 255), 51);
    clock.advance(70);
    assert.deepEqual(frames, [
      [29, 1, 80],
      [69, 1, 120],
    ]);
  });

  it('goes on when somebody sets the clock, forward or back', () => {
    track.play(envelope(...Array(100).fill(255)), 0);
    clock.advance(80);
    clock.set(clock.now() - 3_600_000);
    clock.advance(80);
    clock.set(clock.now() + 7_200_000);
    clock.advance(80);
    assert.deepEqual(
      frames.map(([, , t]) => t),
      [0, 40, 80, 120, 160, 200, 240],
    );
  });

  it('follows envelopes of any frame length', () => {
    track.play({ frameMs: 20, frames: Uint8Array.of(51, 0, 102, 0, 153) }, 0);
    clock.advance(1000);
    assert.deepEqual(
      frames.map(([, open, t]) => [open, t]),
      [
        [0.2, 0],
        [0.4, 40],
        [0.6, 80],
        [0, 120],
      ],
    );
  });

  it('closes once in a silence, and sleeps until it is over', () => {
    track.play(envelope(255, 0, 1, 0, 0, 255, 0, 0), 0);
    clock.advance(1000);
    assert.deepEqual(
      frames.map(([, open, t]) => [open, t]),
      [
        [1, 0],
        [0, 40],
        [1, 200],
        [0, 240],
      ],
    );
  });

  it('sets one timer for a long silence', () => {
    let timers = 0;
    const counting: Clock = {
      now: () => clock.now(),
      elapsed: () => clock.elapsed(),
      setTimeout: (callback, ms) => {
        timers += 1;
        return clock.setTimeout(callback, ms);
      },
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
    build(counting).play(envelope(...new Array(1000).fill(0), 255), 0);
    clock.advance(60_000);
    assert.deepEqual(
      frames.map(([, open, t]) => [open, t]),
      [
        [0, 0],
        [1, 40_000],
        [0, 40_040],
      ],
    );
    assert.equal(timers, 3);
  });

  it('says one word past the end', () => {
    track.play(envelope(255), 5000);
    clock.advance(10_000);
    assert.deepEqual(frames, [[0, 0, 5000]]);
  });

  /** How long something else has kept the timers from running. */
  let late = 0;
  const busy: Clock = {
    now: () => clock.now() + late,
    elapsed: () => clock.elapsed() + late,
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (handle) => clock.clearTimeout(handle),
  };

  it('leaves frames out when timers are late, and is back on time with the next one', () => {
    late = 0;
    build(busy).play(envelope(...new Array(10).fill(255)), 0);
    clock.advance(79);
    late = 95;
    clock.advance(1);
    clock.advance(25);
    assert.deepEqual(
      frames.map(([at, , t]) => [at, t]),
      [
        [0, 0],
        [40, 40],
        [175, 160],
        [200, 200],
      ],
    );
  });

  it('says nothing where a late timer has missed what a silence was left for', () => {
    late = 0;
    build(busy).play(envelope(255, 0, 255, 0, 0, 255), 0);
    clock.advance(79);
    late = 45;
    clock.advance(1000);
    assert.deepEqual(
      frames.map(([, open, t]) => [open, t]),
      [
        [1, 0],
        [0, 40],
        [1, 200],
        [0, 240],
      ],
    );
  });

  it('takes a timer that is a little early for the frame that it was set for', () => {
    const hasty: Clock = {
      now: () => clock.now(),
      elapsed: () => clock.elapsed(),
      setTimeout: (callback, ms) => clock.setTimeout(callback, ms - 1),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
    build(hasty).play(envelope(255, 255, 255), 0);
    clock.advance(1000);
    assert.deepEqual(
      frames.map(([, , t]) => t),
      [0, 40, 80, 120],
    );
  });

  describe('corrected by the player', () => {
    const long = envelope(...new Array(100).fill(255));

    it('leaves a small difference as it is', () => {
      track.play(long, 0);
      clock.advance(100);
      track.sync(61);
      track.sync(139);
      clock.advance(20);
      assert.deepEqual(frames.at(-1), [120, 1, 120]);
    });

    it('jumps forward and back', () => {
      track.play(long, 0);
      clock.advance(100);
      track.sync(2010);
      clock.advance(70);
      track.sync(500);
      clock.advance(60);
      assert.deepEqual(
        frames.map(([at, , t]) => [at, t]),
        [
          [0, 0],
          [40, 40],
          [80, 80],
          [130, 2040],
          [170, 2080],
          [230, 560],
        ],
      );
    });

    it('wakes from the end of the song, and from a silence', () => {
      track.play(envelope(255, 0, 0, 0, 255), 0);
      clock.advance(80);
      track.sync(155);
      clock.advance(10);
      assert.deepEqual(frames.at(-1), [85, 1, 160]);
      clock.advance(5000);
      const before = frames.length;
      track.sync(0);
      clock.advance(5000);
      assert.deepEqual(
        frames.slice(before).map(([, open, t]) => [open, t]),
        [
          [1, 0],
          [0, 40],
          [1, 160],
          [0, 200],
        ],
      );
    });

    it('does nothing where nothing plays', () => {
      track.sync(1000);
      assert.equal(clock.pending, 0);
    });
  });

  it('stops without another word', () => {
    track.play(envelope(255, 255, 255), 0);
    clock.advance(50);
    track.stop();
    assert.equal(clock.pending, 0);
    clock.advance(1000);
    assert.equal(frames.length, 2);
  });

  it('may be stopped by whoever takes a frame', () => {
    const own: number[] = [];
    const stopping = new JawTrack({
      clock,
      frame: (_, t) => {
        own.push(t);
        if (t === 40) stopping.stop();
      },
    });
    stopping.play(envelope(255, 255, 255), 0);
    clock.advance(1000);
    assert.deepEqual([own, clock.pending], [[0, 40], 0]);
  });

  it('plays one song at a time', () => {
    track.play(envelope(255, 255, 255), 0);
    clock.advance(50);
    track.play(envelope(51, 51), 0);
    clock.advance(1000);
    assert.deepEqual(
      frames.map(([, open]) => open),
      [1, 1, 0.2, 0.2, 0],
    );
  });

  it('never sends more than 25 frames a second, nor two closed ones in a row, whatever the song and the corrections', () => {
    const level = fc.constantFrom(0, 0, 1, 2, 255);
    const step = fc.record({ wait: fc.integer({ min: 0, max: 300 }), at: fc.integer({ min: 0, max: 3000 }) });
    fc.assert(
      fc.property(fc.array(level, { maxLength: 60 }), fc.array(step, { maxLength: 20 }), (levels, steps) => {
        frames = [];
        track.play(envelope(...levels), 0);
        for (const { wait, at } of steps) {
          clock.advance(wait);
          track.sync(at);
        }
        clock.advance(60_000);
        assert.equal(clock.pending, 0);
        assert.equal(frames.at(-1)?.[1], 0);
        frames.forEach(([at, open, t], index) => {
          const [before = Number.NEGATIVE_INFINITY, last] = frames[index - 1] ?? [];
          assert.ok(at - before >= 40 && !(open === 0 && last === 0), `${frames}`);
          assert.equal(open, Math.round(((levels[t / 40] ?? 0) / 255) * 100) / 100);
        });
      }),
    );
  });
});
