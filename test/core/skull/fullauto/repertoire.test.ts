import assert from 'node:assert/strict';
import type { Song } from '../../../../core/model/songs.ts';
import { Repertoire } from '../../../../core/skull/fullauto/repertoire.ts';
import { countingRandom, keepingLog } from '../../../support/ports.ts';

const song = (name: string, duration_ms: number | null): Song => ({
  name,
  title: name,
  artist: null,
  duration_ms,
  size: 1,
  path: `/songs/${name}.mp3`,
});

function repertoire(...songs: Song[]) {
  const library = {
    list: async () => songs,
    find: async (wanted: string) => songs.find(({ name }) => name === wanted),
  };
  const played = { bag: [], played: [], last: null };
  const drawn = new Repertoire(library, countingRandom(), keepingLog(), played);
  return async () => (await drawn.draw(() => false))?.name;
}

describe('the songs of FullAuto', () => {
  it('are those that can be read', async () => {
    const draw = repertoire(song('a', null), song('b', 1000), song('c', null), song('d', 1000));
    assert.deepEqual([await draw(), await draw(), await draw()], ['b', 'd', 'b']);
  });

  it('are the others where none can be read', async () => {
    assert.equal(await repertoire(song('a', null), song('b', null))(), 'a');
    assert.equal(await repertoire()(), undefined);
  });
});
