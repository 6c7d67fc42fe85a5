import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Children } from '../../adapters/songs/children.ts';
import { SongFolder } from '../../adapters/songs/library.ts';
import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import { id3v2, silence, TONES, tones } from '../support/mp3.ts';
import { keepingLog } from '../support/ports.ts';

const script = path.join(import.meta.dirname, 'songs-child.ts');

/** Tells when it has been given a job. */
class Announced extends Children {
  readonly #events = new EventEmitter();

  override run(file: string): Promise<unknown> {
    this.#events.emit('begun');
    return super.run(file);
  }

  begun(): Promise<unknown> {
    return once(this.#events, 'begun');
  }
}

describe('the library of songs', () => {
  let folder: string;
  let log: ReturnType<typeof keepingLog>;
  let songs: SongFolder;
  let uploads = 0;

  const open = (children = {}) => new SongFolder(folder, log, children);
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'skull-songs-'));
    mkdirSync(path.join(folder, '.incoming'));
    log = keepingLog();
    songs = open();
  });
  afterEach(async () => {
    await songs.close();
    rmSync(folder, { recursive: true });
  });

  const at = (file: string) => path.join(folder, file);
  const files = () =>
    readdirSync(folder)
      .filter((file) => file !== '.incoming')
      .sort();
  const incoming = (content: Buffer | string = tones()) => {
    const file = at(`.incoming/${++uploads}`);
    writeFileSync(file, content);
    return file;
  };
  const add = (filename: string, content?: Buffer | string, replace = false) =>
    songs.add({ path: incoming(content), filename }, { replace });
  const refused = async (code: ErrorCode, doing: Promise<unknown>) => {
    const error: unknown = await doing.then(
      () => assert.fail('it was not refused'),
      (thrown) => thrown,
    );
    assert.ok(error instanceof SkullError, String(error));
    assert.equal(error.code, code, error.message);
    assert.deepEqual(readdirSync(at('.incoming')), []);
    return error;
  };

  describe('taking in', () => {
    const TONES_INFO = { name: 'tones', title: 'Tones', artist: 'A signal generator', duration_ms: 2484, size: 7606 };

    it('keeps a song, what is known of it, and how its jaw moves', async () => {
      assert.deepEqual(await add('tones.mp3'), TONES_INFO);
      assert.deepEqual(readdirSync(at('.incoming')), []);
      assert.deepEqual(readFileSync(at('tones.mp3')), tones());
      const { frameMs, frames } = (await songs.envelope('tones')) ?? assert.fail();
      assert.deepEqual([frameMs, Math.max(...frames) > 240], [40, true]);
      assert.deepEqual(files(), ['tones.jaw', 'tones.json', 'tones.mp3']);
      assert.deepEqual(readFileSync(at('tones.jaw')), Buffer.from(frames));
      const { mtimeMs } = statSync(at('tones.mp3'));
      const { name: _, ...known } = TONES_INFO;
      assert.deepEqual(JSON.parse(readFileSync(at('tones.json'), 'utf8')), { ...known, mtime_ms: mtimeMs, version: 1 });
      assert.deepEqual(await songs.list(), [TONES_INFO]);
      assert.deepEqual(await open().find('tones.mp3'), { ...TONES_INFO, path: at('tones.mp3') });
    });

    it('calls a song without tags by its name', async () => {
      assert.deepEqual(await add('e\u0301 🎃.MP3', silence(40)), {
        name: 'é 🎃',
        title: 'é 🎃',
        artist: null,
        duration_ms: 1045,
        size: 40 * 417,
      });
      assert.ok(existsSync(at('é 🎃.mp3')));
    });

    it('keeps the song that is there, until it is told to replace it', async () => {
      await add('x.mp3', silence(40));
      await songs.envelope('x');
      await refused('conflict', add('x.mp3'));
      assert.equal((await songs.find('x'))?.duration_ms, 1045);
      assert.equal((await add('x.mp3', tones(), true)).duration_ms, 2484);
      assert.equal((await songs.envelope('x'))?.frames.length, 63);
      assert.deepEqual(files(), ['x.jaw', 'x.json', 'x.mp3']);
    });

    it('replaces a song whose file ends in .MP3', async () => {
      writeFileSync(at('x.MP3'), silence(40));
      await refused('conflict', add('x.mp3'));
      await add('x.mp3', tones(), true);
      assert.deepEqual(
        files().filter((file) => /mp3$/i.test(file)),
        ['x.mp3'],
      );
    });

    it('takes one of two of the same name', async () => {
      const both = await Promise.allSettled([add('x.mp3'), add('x.mp3', silence(40))]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
      assert.deepEqual(readdirSync(at('.incoming')), []);
    });

    it('refuses what is no whole MP3, and says why', async () => {
      for (const content of ['', 'a text', id3v2({ TIT2: 'x' })]) {
        await refused('unsupported_media_type', add('x.mp3', content));
      }
      const { message } = await refused('unsupported_media_type', add('x.mp3', tones().subarray(0, 4000)));
      assert.match(message, /truncated/);
      assert.deepEqual(files(), []);
    });

    it('refuses a name that is no safe file name', async () => {
      for (const filename of ['../x.mp3', '.x.mp3', 'x.wav']) await refused('not_allowed', add(filename));
      assert.deepEqual(files(), []);
    });

    it('takes nothing away from elsewhere', async () => {
      const file = at('elsewhere.mp3');
      copyFileSync(TONES, file);
      await refused('invalid', songs.add({ path: file, filename: 'x.mp3' }, { replace: false }));
      await refused(
        'invalid',
        songs.add({ path: at('.incoming/../elsewhere.mp3'), filename: 'x.mp3' }, { replace: false }),
      );
      assert.deepEqual(files(), ['elsewhere.mp3']);
    });

    it('survives a file that makes its reader hang', async () => {
      const file = at('.incoming/hangs');
      writeFileSync(file, tones());
      songs = open({ readers: new Children('read', { script, silenceMs: 300 }) });
      await refused('unsupported_media_type', songs.add({ path: file, filename: 'x.mp3' }, { replace: false }));
      assert.deepEqual(files(), []);
    });
  });

  describe('files that were put there by hand', () => {
    it('are songs too, of unknown duration until they are found', async () => {
      copyFileSync(TONES, at('hand.MP3'));
      const unread = { name: 'hand', title: 'hand', artist: null, duration_ms: null, size: 7606 };
      assert.deepEqual(await songs.list(), [unread]);
      const found = await songs.find('hand');
      assert.deepEqual([found?.duration_ms, found?.path], [2484, at('hand.MP3')]);
      assert.deepEqual((await songs.list())[0]?.title, 'Tones');
    });

    it('are links too, but no folders, nor what lies beside them', async () => {
      mkdirSync(at('folder.mp3'));
      copyFileSync(TONES, at('thriller.mp3'));
      symlinkSync(at('thriller.mp3'), at('link.mp3'));
      symlinkSync(at('folder.mp3'), at('folder-link.mp3'));
      symlinkSync(at('nowhere'), at('dangling.mp3'));
      for (const other of ['notes.txt', '._thriller.mp3', 'thriller.json', 'thriller.jaw'])
        writeFileSync(at(other), '');
      assert.deepEqual(
        (await songs.list()).map(({ name }) => name),
        ['link', 'thriller'],
      );
      rmSync(folder, { recursive: true });
      assert.deepEqual(await songs.list(), []);
      mkdirSync(folder);
    });

    it('may be broken: they can be played, but have no duration and move no jaw', async () => {
      writeFileSync(at('text.mp3'), 'a text');
      const { duration_ms, title } = (await songs.find('text')) ?? assert.fail();
      assert.deepEqual([duration_ms, title], [null, 'text']);
      assert.equal(await songs.envelope('text'), undefined);
      assert.equal(await songs.envelope('text'), undefined);
      assert.equal(log.entries.filter(({ level }) => level === 'warn').length, 1);
    });

    it('may be truncated: what is left of them sings', async () => {
      writeFileSync(at('cut.mp3'), tones().subarray(0, 4000));
      assert.ok(Number((await songs.find('cut'))?.duration_ms) > 1000);
      assert.ok(Number((await songs.envelope('cut'))?.frames.length) > 25);
    });

    it('are read anew when they change', async () => {
      await add('x.mp3', silence(40));
      await songs.envelope('x');
      copyFileSync(TONES, at('x.mp3'));
      assert.equal((await songs.list())[0]?.duration_ms, null);
      assert.equal((await songs.envelope('x'))?.frames.length, 63);
      assert.equal((await songs.list())[0]?.duration_ms, 2484);
      utimesSync(at('x.mp3'), 1, 1);
      assert.equal((await songs.list())[0]?.duration_ms, null);
    });

    it('are read once for all who ask at the same time', async () => {
      copyFileSync(TONES, at('x.mp3'));
      const found = await Promise.all(Array.from({ length: 5 }, () => songs.find('x')));
      assert.deepEqual([...new Set(found.map((song) => song?.duration_ms))], [2484]);
      const envelopes = await Promise.all([songs.envelope('x'), songs.envelope('x.mp3')]);
      assert.deepEqual(envelopes[0], envelopes[1]);
    });

    it('with a sidecar that is no sidecar are read anew', async () => {
      for (const sidecar of ['', '{', '[]', '{"size":7606}']) {
        copyFileSync(TONES, at('x.mp3'));
        writeFileSync(at('x.json'), sidecar);
        assert.equal((await open().find('x'))?.duration_ms, 2484);
      }
    });
  });

  it('finds songs by name only, never what lies elsewhere', async () => {
    await add('x.mp3');
    await add('x.mp3.mp3', silence(40));
    assert.equal((await songs.find('x'))?.path, at('x.mp3'));
    assert.equal((await songs.find('x.mp3'))?.path, at('x.mp3.mp3'));
    assert.equal((await songs.find('x.mp3.mp3'))?.path, at('x.mp3.mp3'));
    for (const name of ['', '.', '..', '../x', 'y', '.incoming', `${path.basename(folder)}/x`, '/etc/passwd', 'x\0']) {
      assert.equal(await songs.find(name), undefined, name);
      assert.equal(await songs.remove(name), false, name);
    }
  });

  it('lists by name', async () => {
    for (const name of ['b', 'a', 'É', 'Z']) writeFileSync(at(`${name}.mp3`), '');
    assert.deepEqual(
      (await songs.list()).map(({ name }) => name),
      ['Z', 'a', 'b', 'É'],
    );
  });

  it('removes a song with all that lies beside it', async () => {
    await add('x.mp3');
    await songs.envelope('x');
    assert.equal(await songs.remove('x'), true);
    assert.deepEqual(files(), []);
    assert.equal(await songs.remove('x'), false);
    assert.equal(await songs.find('x'), undefined);
  });

  it('ends what is computed of a song that is removed, and all of it when it closes', async () => {
    const file = at('waits.mp3');
    const decoders = new Announced('envelope', { script });
    for (const end of [() => songs.remove('waits'), () => songs.close()]) {
      copyFileSync(TONES, file);
      songs = open({ decoders });
      const begun = decoders.begun();
      const computing = songs.envelope('waits');
      await begun;
      await end();
      assert.equal(await computing, undefined);
    }
    assert.deepEqual(files(), ['waits.json', 'waits.mp3']);
    assert.deepEqual(log.entries, []);
  });

  it('clears what an interrupted write left beside the songs', async () => {
    const left = at('.x.json.1-1.tmp');
    writeFileSync(left, '{');
    utimesSync(left, 1, 1);
    await songs.list();
    assert.ok(!existsSync(left));
  });
});
