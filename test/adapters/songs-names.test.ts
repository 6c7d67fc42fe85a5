import assert from 'node:assert/strict';
import { nameOfFile, nameOfUpload } from '../../adapters/songs/names.ts';
import { SkullError } from '../../core/model/errors.ts';

describe('names of songs', () => {
  it('are what comes before .mp3, composed', () => {
    for (const [filename, name] of [
      ['thriller.mp3', 'thriller'],
      ['THRILLER.MP3', 'THRILLER'],
      ['Noël – 2.mp3', 'Noël – 2'],
      ['e\u0301te\u0301.mp3', 'été'],
      ['🎃👨‍👩‍👧.mp3', '🎃👨‍👩‍👧'],
      ['a.b.mp3', 'a.b'],
      ['x.mp3.mp3', 'x.mp3'],
      ["What's up? 100%.mp3", "What's up? 100%"],
      [`${'x'.repeat(200)}.mp3`, 'x'.repeat(200)],
    ] as const) {
      assert.equal(nameOfUpload(filename), name);
      assert.equal(nameOfFile(filename), name);
    }
  });

  it('are refused where they are no safe file names', () => {
    for (const filename of [
      '',
      '.mp3',
      '..mp3',
      'thriller',
      'thriller.mp3.exe',
      'thriller.wav',
      '../x.mp3',
      'a/b.mp3',
      'a\\b.mp3',
      '/etc/x.mp3',
      '.hidden.mp3',
      ' .mp3',
      'x .mp3',
      ' x.mp3',
      'x..mp3',
      'a\0b.mp3',
      'a\nb.mp3',
      'a\u007f.mp3',
      'a\u202egnp.mp3',
      'a\ud800.mp3',
      'a\ufffd.mp3',
      'NUL.mp3',
      'com1.mp3',
      'aux.x.mp3',
      `${'x'.repeat(201)}.mp3`,
      `${'é'.repeat(101)}.mp3`,
    ]) {
      assert.throws(
        () => nameOfUpload(filename),
        (error) => error instanceof SkullError && error.code === 'not_allowed' && error.issues[0]?.path === '/file',
        JSON.stringify(filename),
      );
      assert.equal(nameOfFile(filename), undefined);
    }
  });
});
