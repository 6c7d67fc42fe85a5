import assert from 'node:assert/strict';
import { envelopeOf, jawOf } from '../../adapters/songs/envelope.ts';
import { TONES } from '../support/mp3.ts';

const at = (frames: Uint8Array, from: number, to: number) => [...frames.slice(from / 40, to / 40)];
const all = (values: number[], check: (value: number) => boolean) =>
  assert.ok(values.length > 0 && values.every(check), String(values));

describe('how a jaw follows a song', () => {
  it('opens wide in what is loud, little in what is quiet, and is closed in silence', async () => {
    let pieces = 0;
    const frames = (await envelopeOf(TONES, () => pieces++)) ?? assert.fail();
    assert.ok(pieces > 0);
    assert.equal(frames.length, Math.ceil(2484 / 40));
    all(at(frames, 200, 560), (open) => open > 230);
    all(at(frames, 840, 1160), (open) => open === 0);
    all(at(frames, 1360, 1760), (open) => open > 10 && open < 40);
    all(at(frames, 2000, 2360), (open) => open > 230);
  });

  const jaw = (levels: number[]) => [...jawOf(levels)];
  const held = (level: number, frames = 20) => Array<number>(frames).fill(level);

  it('is measured by the loudness of the song itself', () => {
    const song = [...held(0.5), ...held(0.25), ...held(0)];
    assert.deepEqual(jaw(song), jaw(song.map((level) => level / 50)));
    assert.equal(Math.max(...jaw(song)), 255);
  });

  it('is closed by noise, and in a song of nothing but noise', () => {
    assert.deepEqual(jaw([...held(0.5), ...held(0.02)]).slice(-10), held(0, 10));
    assert.deepEqual(jaw(held(0.0005)), held(0));
    assert.deepEqual(jaw([]), []);
  });

  it('is not thrown open by one loud moment of a song', () => {
    const song = [...held(0.2, 100), 1, ...held(0.2, 100)];
    assert.ok((jaw(song)[50] ?? 0) > 240);
  });

  it('never leaps, and closes within a quarter of a second', () => {
    const frames = jaw([...held(0), ...held(0.5), ...held(0)]);
    for (const [index, open] of frames.entries()) assert.ok(Math.abs(open - (frames[index - 1] ?? 0)) <= 160);
    assert.deepEqual(frames.slice(46), held(0, 14));
  });
});
