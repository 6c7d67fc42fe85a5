import assert from 'node:assert/strict';
import { operationOf } from '../../../core/skull/operations/index.ts';
import { setUp } from '../../support/operations.ts';

const names = (answer: unknown) => (Object(answer).items as { name: string }[]).map(({ name }) => name);

describe('the library of songs over REST', () => {
  it('is listed by name, in pages', async () => {
    const { ask, refused } = setUp({ songs: ['c', 'a', 'b'] });
    assert.deepEqual(names(await ask('listSongs')), ['a', 'b', 'c']);
    const first = Object(await ask('listSongs', { query: { limit: '2' } }));
    assert.deepEqual([names(first), first.next_cursor], [['a', 'b'], '1.b']);
    const last = Object(await ask('listSongs', { query: { limit: '2', cursor: '1.b' } }));
    assert.deepEqual([names(last), last.next_cursor], [['c'], null]);
    await refused('listSongs', 'invalid', { query: { limit: '501' } });
    const behind = Object(await ask('listSongs', { query: { limit: '2', cursor: '1.gone meanwhile' } }));
    assert.deepEqual(names(behind), ['b', 'c'], 'nothing is left out because the last one is gone');
    for (const cursor of ['b', '1.', '-1.b', '.b']) await refused('listSongs', 'invalid', { query: { cursor } });
  });

  it('takes in a file of a form, and nothing else', async () => {
    const { character, ask, refused } = setUp();
    const asked: unknown[] = [];
    const song = { name: 'x', title: 'X', artist: null, duration_ms: 1, size: 2 };
    character.ports.songs.add = async (...given) => {
      asked.push(given);
      return song;
    };
    const file = { path: '/songs/.incoming/1', filename: 'x.mp3', size: 2 };
    assert.deepEqual(await ask('uploadSong', { body: { file } }), song);
    await ask('uploadSong', { body: { file }, query: { replace: 'true' } });
    assert.deepEqual(asked, [
      [file, { replace: false }],
      [file, { replace: true }],
    ]);
    await refused('uploadSong', 'invalid', { body: { file }, query: { replace: 'perhaps' } });
    await refused('uploadSong', 'invalid', { body: { file: 'x.mp3' } });
    await refused('uploadSong', 'invalid');
  });

  it('loses a song that is deleted', async () => {
    const { ask, refused } = setUp({ songs: ['a', 'b', 'c.mp3'] });
    assert.deepEqual(await ask('deleteSong', { params: { name: 'a' } }), { name: 'a' });
    assert.deepEqual(await ask('deleteSong', { params: { name: 'b.MP3' } }), { name: 'b' });
    assert.deepEqual(await ask('deleteSong', { params: { name: 'c.mp3' } }), { name: 'c.mp3' });
    for (const name of ['a', '../a', 'c']) await refused('deleteSong', 'not_found', { params: { name } });
    assert.deepEqual(names(await ask('listSongs')), []);
  });

  it('keeps a song that plays, is paused or waits', async () => {
    const { ask, refused, character } = setUp({ songs: ['a', 'b'] });
    const lane = character.lane ?? assert.fail();
    await ask('playSong', { body: { song: 'a' } });
    const waiting = lane.claim({ kind: 'sing', priority: 'LOW', args: { song: 'b' } });
    await refused('deleteSong', 'busy', { params: { name: 'a' } });
    await refused('deleteSong', 'busy', { params: { name: 'b.mp3' } });
    lane.claim({ kind: 'say', priority: 'URGENT', args: { text: 'b' } });
    assert.deepEqual(
      lane.paused().map(({ kind }) => kind),
      ['sing'],
    );
    await refused('deleteSong', 'busy', { params: { name: 'a' } });
    lane.cancel({ id: waiting.id });
    assert.deepEqual(await ask('deleteSong', { params: { name: 'b' } }), { name: 'b' });
    lane.cancel({});
    assert.deepEqual(await ask('deleteSong', { params: { name: 'a' } }), { name: 'a' });
  });

  it('is read by viewers and changed by editors', () => {
    const role = (id: string) => operationOf(id)?.role;
    assert.deepEqual(['listSongs', 'uploadSong', 'deleteSong'].map(role), ['viewer', 'editor', 'editor']);
  });
});
