import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventFile, fact, numbers, until } from '../support/event-file.ts';

type Name = 'events.db' | 'events.db-wal';
/** What is certain to be on the disk, and what may be. */
interface Written {
  synced: Buffer;
  now: Buffer;
}

const PAGE = 4096;
const NAMES: readonly Name[] = ['events.db', 'events.db-wal'];
const OPERATIONS = ['datasync', 'sync', 'truncate'] as const;

/** Numbers in [0, 1), the same in each run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A file after a power cut: of what was not synchronised, each page may be on the disk or not. */
function cut({ synced, now }: Written, next: () => number): Buffer {
  const length = next() < 0.5 ? synced.length : now.length;
  // That a file was emptied is on the disk or not, there is no more to it.
  const share = now.length === 0 ? 0 : next();
  const disk = Buffer.alloc(length);
  for (let at = 0; at < length; at += PAGE) {
    const page = (next() < share ? now : synced).subarray(at, Math.min(at + PAGE, length));
    disk.set(page, at);
  }
  return disk;
}

describe('a power cut, as far as files can show it', function () {
  this.timeout(60_000);
  let events: EventFile;
  let restore: () => void;
  /** Each operation on the file and SQLite's log, before it is done. */
  let before: (operation: string, name: Name) => void;

  beforeEach(async () => {
    events = new EventFile();
    before = () => {};
    const handle = await open(path.join(events.folder, 'probe'), 'w');
    const prototype: Pick<FileHandle, (typeof OPERATIONS)[number]> = Object.getPrototypeOf(handle);
    await handle.close();
    const originals = OPERATIONS.map((operation) => [operation, prototype[operation]] as const);
    for (const [operation, original] of originals) {
      prototype[operation] = function (this: FileHandle, ...args: []) {
        const name = path.basename(readlinkSync(`/proc/self/fd/${this.fd}`));
        const known = NAMES.find((one) => one === name);
        if (known !== undefined) before(operation, known);
        return original.apply(this, args);
      };
    }
    restore = () => {
      for (const [operation, original] of originals) prototype[operation] = original;
    };
  });
  afterEach(async () => {
    restore();
    await events.remove();
  });

  const contentOf = (name: Name) => readFileSync(path.join(events.folder, name));

  /** The numbers in what a power cut has left. */
  function found(disk: Record<Name, Buffer>): number[] {
    const file = path.join(events.folder, 'after.db');
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    writeFileSync(file, disk['events.db']);
    writeFileSync(`${file}-wal`, disk['events.db-wal']);
    const database = new DatabaseSync(file);
    try {
      assert.deepEqual(Object.values(database.prepare('PRAGMA integrity_check').get() ?? {}), ['ok']);
      return database
        .prepare('SELECT seq FROM events ORDER BY seq')
        .all()
        .map(({ seq }) => Number(seq));
    } finally {
      database.close();
    }
  }

  it('leaves a sound file and all that was on the disk, whenever it comes', async () => {
    const store = await events.open({ maxBytes: 2 ** 20 });
    await store.flush();
    const next = sequence(1);
    const files: Record<Name, Written> = {
      'events.db': { synced: contentOf('events.db'), now: Buffer.alloc(0) },
      'events.db-wal': { synced: contentOf('events.db-wal'), now: Buffer.alloc(0) },
    };
    let lasting = 0;
    let cuts = 0;
    const cutNow = () => {
      for (const name of NAMES) files[name].now = contentOf(name);
      for (let n = 0; n < 4; n++) {
        const left = found({
          'events.db': cut(files['events.db'], next),
          'events.db-wal': cut(files['events.db-wal'], next),
        });
        const last = left.at(-1) ?? 0;
        assert.deepEqual(left, last === 0 ? [] : numbers(left[0] ?? 0, last));
        assert.ok(last >= lasting, `${last} of ${lasting}`);
        cuts++;
      }
    };
    before = (operation, name) => {
      cutNow();
      const { now } = files[name];
      if (operation === 'truncate') return;
      files[name].synced = now;
      if (name !== 'events.db-wal' || operation !== 'datasync') return;
      lasting = found({ 'events.db': files['events.db'].now, 'events.db-wal': now }).at(-1) ?? 0;
    };
    for (let seq = 1; seq <= 20_000; ) {
      const end = seq + 1 + Math.floor(next() * 2000);
      for (; seq < end; seq++) store.keep(fact(seq, { data: { filler: 'x'.repeat(100) } }));
      await store.flush();
      cutNow();
    }
    assert.ok(lasting > 15_000 && cuts > 200, `${lasting} ${cuts}`);
  });

  it('costs no more than two seconds', async () => {
    const store = await events.open();
    await store.flush();
    const done: string[] = [];
    before = (operation, name) => done.push(`${operation} ${name}`);
    store.keep(fact(1));
    await store.flush();
    events.clock.advance(1999);
    await store.flush();
    assert.deepEqual(done, []);
    events.clock.advance(1);
    await until(() => done.length > 0);
    await store.flush();
    assert.deepEqual(done, ['datasync events.db-wal']);
  });

  it('finds SQLite’s log moved in order', async () => {
    const store = await events.open();
    await store.flush();
    const done: [string, boolean][] = [];
    before = (operation, name) => done.push([`${operation} ${name}`, events.bytes('-wal') > 0]);
    store.keep(fact(1));
    await store.close();
    assert.deepEqual(done, [
      ['datasync events.db-wal', true],
      ['datasync events.db', true],
      ['truncate events.db-wal', true],
      ['sync events.db-wal', false],
    ]);
    assert.equal(events.bytes(), 3 * PAGE);
  });
});
