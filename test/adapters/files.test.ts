import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JsonFolder } from '../../adapters/files/json-folder.ts';
import { SkullError } from '../../core/model/errors.ts';
import { ConfigStore } from '../../core/skull/config/store.ts';
import { SimulatedClock } from '../support/clock.ts';
import { keepingLog } from '../support/ports.ts';

describe('JsonFolder', () => {
  let home: string;
  const ends: (() => void)[] = [];
  const file = (name: string) => path.join(home, 'config', name);
  const open = () => new JsonFolder(path.join(home, 'config'));

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-files-'));
  });
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    rmSync(home, { recursive: true, force: true });
  });

  /** The names told by a watched folder; `next` resolves with the one that comes, once for each. */
  function watched(folder: JsonFolder) {
    const told: string[] = [];
    let wake = () => {};
    ends.push(
      folder.watch((name) => {
        told.push(name);
        wake();
      }),
    );
    return {
      told,
      async next(): Promise<string> {
        while (told.length === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        return told.shift() ?? '';
      },
    };
  }

  it('makes its folder and gives back what it was given', async () => {
    const folder = open();
    assert.equal(folder.load('vision'), undefined);
    await folder.save('vision', { threshold: 0.5 });
    assert.equal(readFileSync(file('vision.json'), 'utf8'), '{\n  "threshold": 0.5\n}\n');
    assert.deepEqual(open().load('vision'), { threshold: 0.5 });
    assert.equal(statSync(file('vision.json')).mode & 0o007, 0, 'not for everybody');
    assert.deepEqual(readdirSync(folder.path), ['vision.json']);
  });

  it('writes in order, and of those that wait only the last', async () => {
    const folder = open();
    await Promise.all([1, 2, 3].map((n) => folder.save('vision', n)));
    assert.equal(folder.load('vision'), 3);
    const first = folder.save('vision', 'first');
    await Promise.resolve();
    const waiting = folder.save('vision', 'waiting');
    assert.equal(folder.save('vision', 'last'), waiting);
    await first;
    assert.equal(folder.load('vision'), 'first');
    await folder.flush();
    assert.equal(folder.load('vision'), 'last');
  });

  it('never shows a reader half a document', async () => {
    const folder = open();
    const filler = 'x'.repeat(1_000_000);
    await folder.save('vision', { n: 0, filler });
    const writing = (async () => {
      for (let n = 1; n <= 20; n++) await folder.save('vision', { n, filler });
      return true;
    })();
    let reads = 0;
    let done: boolean | undefined;
    while (done === undefined) {
      assert.equal(JSON.parse(readFileSync(file('vision.json'), 'utf8')).filler.length, filler.length);
      reads++;
      done = await Promise.race([writing, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
    }
    assert(reads > 20);
  });

  it('takes the value as it is when asked, not as it becomes', async () => {
    const folder = open();
    const value = { n: 1 };
    const done = folder.save('vision', value);
    value.n = 2;
    await done;
    assert.deepEqual(folder.load('vision'), { n: 1 });
  });

  for (const text of ['', '{"a":', 'hello', '\0\0\0'])
    it(`says that ${JSON.stringify(text)} is broken, and can set it aside`, async () => {
      const folder = open();
      await writeFile(file('vision.json'), text);
      assert.throws(
        () => folder.load('vision'),
        (error) =>
          error instanceof SkullError && error.code === 'document_broken' && /vision\.json/.test(error.message),
      );
      folder.setAside('vision', 'broken-now');
      assert.equal(folder.load('vision'), undefined);
      assert.equal(readFileSync(file('vision.json.broken-now'), 'utf8'), text);
    });

  it('reads a file that begins with a byte order mark', async () => {
    const folder = open();
    await writeFile(file('vision.json'), '\uFEFF{"a":1}');
    assert.deepEqual(folder.load('vision'), { a: 1 });
  });

  it('writes a value beside a document', async () => {
    const folder = open();
    await folder.saveBeside('vision', 'retained-now', { a: 1 });
    assert.deepEqual(JSON.parse(readFileSync(file('vision.json.retained-now'), 'utf8')), { a: 1 });
    assert.equal(folder.load('vision'), undefined);
  });

  it('takes no name that leads out of the folder', () => {
    const folder = open();
    for (const name of ['../secret', 'a/b', '', '.hidden', 'a\0b'])
      assert.throws(() => folder.load(name), /Not a name for a document/);
  });

  it('rejects what the disk refuses, leaves the old file whole, and recovers', async () => {
    const folder = open();
    await folder.save('vision', 1);
    // Permissions do not stop root; a file in the folder's place stops everybody.
    renameSync(folder.path, `${folder.path}.away`);
    await writeFile(folder.path, '');
    const refused = folder.save('vision', 2);
    const waiting = folder.save('gaze', 2);
    await assert.rejects(refused, { code: 'EEXIST' });
    await assert.rejects(waiting, { code: 'EEXIST' });
    rmSync(folder.path);
    renameSync(`${folder.path}.away`, folder.path);
    assert.equal(folder.load('vision'), 1);
    await folder.save('vision', 3);
    assert.equal(folder.load('vision'), 3);
  });

  it('leaves no temporary file when the rename is refused', async () => {
    const folder = open();
    const target = file('vision.json');
    mkdirSync(path.join(target, 'occupied'), { recursive: true });
    await assert.rejects(folder.save('vision', 1));
    assert.deepEqual(readdirSync(folder.path), ['vision.json']);
  });

  it('clears what an interrupted write left, and only that', async () => {
    open();
    const stale = file('.vision.json.4242-1.tmp');
    const fresh = file('.vision.json.4242-2.tmp');
    const foreign = file('.notes.tmp');
    for (const each of [stale, fresh, foreign]) await writeFile(each, '{');
    utimesSync(stale, new Date(0), new Date(0));
    utimesSync(foreign, new Date(0), new Date(0));
    open();
    assert.deepEqual(readdirSync(file('.')).sort(), ['.notes.tmp', '.vision.json.4242-2.tmp']);
  });

  describe('watching', () => {
    it('tells of an edit, in place or by rename, and of a removal', async () => {
      const folder = open();
      await folder.save('vision', 1);
      const { next, told } = watched(folder);
      await writeFile(file('vision.json'), '2');
      assert.equal(await next(), 'vision');
      assert.equal(folder.load('vision'), 2);
      await writeFile(file('.vision.json.swp'), '3');
      renameSync(file('.vision.json.swp'), file('vision.json'));
      assert.equal(await next(), 'vision');
      assert.equal(folder.load('vision'), 3);
      rmSync(file('vision.json'));
      assert.equal(await next(), 'vision');
      assert.equal(folder.load('vision'), undefined);
      assert.deepEqual(told, []);
    });

    it('tells nothing of its own writes, of other files, of a touch', async () => {
      const folder = open();
      await folder.save('vision', 1);
      const { next, told } = watched(folder);
      await folder.save('vision', 2);
      await folder.saveBeside('vision', 'retained-now', 1);
      await writeFile(file('vision.json~'), '5');
      folder.setAside('vision', 'broken-now');
      await folder.save('vision', 3);
      utimesSync(file('vision.json'), new Date(0), new Date(0));
      // Looks are made in the order of events, so what comes last shows that nothing came before.
      await writeFile(file('zeta.json'), '1');
      assert.equal(await next(), 'zeta');
      assert.deepEqual(told, []);
    });

    it('does not take an edit for its own because a write of its own followed', async () => {
      const folder = open();
      await folder.save('vision', 1);
      const { next } = watched(folder);
      await folder.save('vision', 2);
      await writeFile(file('vision.json'), '1');
      assert.equal(await next(), 'vision');
      assert.equal(folder.load('vision'), 1);
    });

    it('ends', async () => {
      const folder = open();
      const ended: string[] = [];
      const end = folder.watch((name) => ended.push(name));
      await writeFile(file('vision.json'), '1');
      end();
      const { next } = watched(open());
      await writeFile(file('gaze.json'), '1');
      assert.equal(await next(), 'gaze');
      assert.deepEqual(ended, []);
    });
  });

  it('lets a hand edit reach the configuration’s other doors, once, and a broken one be mended', async () => {
    const store = new ConfigStore({ folder: open(), clock: new SimulatedClock(), log: keepingLog() });
    ends.push(() => void store.close());
    await store.flush();
    const changes: unknown[] = [];
    const nextChange = () =>
      new Promise<void>((resolve) => {
        const end = store.onChange(({ section, source, value }) => {
          changes.push([section, source, value]);
          end();
          resolve();
        });
      });
    const problem = () =>
      new Promise<string[]>((resolve) => {
        const end = store.onProblems((problems) => {
          end();
          resolve(problems);
        });
      });

    const edited = nextChange();
    await writeFile(file('gaze.json'), '{"track_ms": 900}');
    await edited;
    const broken = problem();
    await writeFile(file('gaze.json'), '{"track_ms": 1000');
    assert.match((await broken)[0] ?? '', /gaze\.json was edited and is broken/);
    assert.equal(store.get('gaze').track_ms, 900);
    const mended = nextChange();
    await writeFile(file('gaze.json'), '{"track_ms": 1000}');
    await mended;
    store.merge('gaze', { track_ms: 1100 }, 'rest');
    await store.flush();
    assert.deepEqual(changes, [
      ['gaze', 'file', { enabled: true, track_ms: 900, smoothing: 0.3 }],
      ['gaze', 'file', { enabled: true, track_ms: 1000, smoothing: 0.3 }],
    ]);
    assert.deepEqual(JSON.parse(readFileSync(file('gaze.json'), 'utf8')), store.get('gaze'));
    assert.deepEqual(store.problems(), []);
  });

  it('leaves a whole document, old or new, when the process is killed while it writes', async function () {
    this.timeout(30_000);
    const killed = 8;
    let newest = 0;
    for (let round = 0; round < killed; round++) {
      const child = fork(path.join(import.meta.dirname, '../support/writer.ts'), [file('.')], { stdio: 'inherit' });
      const acknowledged = await new Promise<number>((resolve) => {
        child.on('message', (n: number) => {
          if (n < 3 + round) return;
          child.kill('SIGKILL');
          resolve(n);
        });
      });
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const found = open().load('vision') as { n: number; filler: string };
      assert.equal(found.filler.length, 100_000);
      assert(found.n >= acknowledged, `${found.n} was found after ${acknowledged} was said to be on disk`);
      newest = Math.max(newest, found.n);
    }
    assert(newest > 0);
    // Temporary files of the killed are younger than this process; the next start of ours clears them.
    for (const left of readdirSync(file('.')).filter((name) => name.endsWith('.tmp')))
      utimesSync(file(left), new Date(0), new Date(0));
    open();
    assert.deepEqual(readdirSync(file('.')), ['vision.json']);
  });
});
