import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EventLog } from '../../core/model/event-log.ts';
import { EventFile, fact, newest, numbers, oldest, seqs } from '../support/event-file.ts';

describe('the events in SQLite, in trouble', () => {
  let events: EventFile;
  beforeEach(() => {
    events = new EventFile();
  });
  afterEach(() => events.remove());

  const lying = () => readdirSync(events.folder).sort();
  /** Spoils a page in the middle of the file. */
  function spoil(): void {
    const file = openSync(events.file, 'r+');
    writeSync(file, Buffer.alloc(8 * 4096, 0xee), 0, 8 * 4096, 20 * 4096);
    closeSync(file);
  }
  async function filled(count: number): Promise<void> {
    const store = await events.open();
    for (const seq of numbers(1, count)) store.keep(fact(seq));
    await store.close();
  }

  for (const [what, content] of [
    ['is no database', 'something else\n'.repeat(100)],
    ['is all zeros', Buffer.alloc(8192)],
  ] as const) {
    it(`set a file aside that ${what}, and begin a new one`, async () => {
      writeFileSync(events.file, content);
      const store = await events.open();
      const aside = 'events.db.broken-2026-01-01T00-00-00.000Z';
      assert.deepEqual(lying(), ['events.db', 'events.db-wal', aside]);
      assert.equal(readFileSync(path.join(events.folder, aside), 'utf8'), content.toString());
      assert.equal(store.check, 'ok');
      const [problem, ...others] = store.problems();
      assert.equal(problem, `The event log was broken: it is set aside as ${aside}, and a new one begun.`);
      assert.deepEqual(others, []);
      assert.equal(events.logged('error').length, 1);
      store.keep(fact(1));
      await store.close();
      assert.deepEqual((await events.open()).problems(), []);
    });
  }

  it('begin with an empty file', async () => {
    writeFileSync(events.file, '');
    const store = await events.open();
    assert.deepEqual([store.check, store.problems(), lying()], ['ok', [], ['events.db', 'events.db-wal']]);
  });

  for (const [what, sql, reason] of [
    ['a newer version', 'PRAGMA user_version = 99', 'it is of a newer version: its number is 99, not 1'],
    ['another program', 'CREATE TABLE theirs (x)', 'it is the database of another program'],
  ] as const) {
    it(`leave a file of ${what} alone`, async () => {
      events.ask(sql);
      const before = readFileSync(events.file);
      const store = await events.open();
      assert.equal(store.check, 'down');
      assert.deepEqual(store.problems(), [`The event log ${events.file} cannot be used: ${reason}.`]);
      store.keep(fact(1));
      await assert.rejects(store.read(newest), { code: 'unavailable', message: /newer version|another program/ });
      await store.close();
      assert.deepEqual(readFileSync(events.file), before);
      assert.deepEqual(lying(), ['events.db']);
    });
  }

  it('wait in memory while their folder cannot be made, and are written once it can', async () => {
    const inTheWay = path.join(events.folder, 'data');
    writeFileSync(inTheWay, '');
    const store = await events.open({ file: path.join(inTheWay, 'events.db') });
    assert.equal(store.check, 'down');
    assert.match(store.problems().join(), /^The event log \S+ cannot be used: ENOTDIR: not a directory, open '.*'\.$/);
    for (const seq of numbers(1, 10_100)) store.keep(fact(seq));
    assert.match(store.problems()[1] ?? '', /^100 events could not be kept/);
    await assert.rejects(store.read(oldest), { code: 'unavailable', message: /ENOTDIR/ });
    assert.deepEqual(await seqs(store, { first: 'newest', limit: 2 }), [10_100, 10_099]);
    assert.deepEqual(await seqs(store, { after: 10_098 }), [10_099, 10_100], 'where the file is of no need');

    events.clock.advance(15_000);
    await store.flush();
    assert.equal(events.logged('error').length, 1, 'said once');
    rmSync(inTheWay);
    events.clock.advance(15_000);
    await store.flush();
    assert.deepEqual([store.check, store.problems()], ['ok', []]);
    assert.deepEqual(await seqs(store), numbers(101, 10_100));
    assert.deepEqual(events.logged('warn'), ['100 events are missing in the event log.']);
    assert.match(events.logged('info').join(), /can be used again\.$/);
  });

  it('are tried again by themselves', async () => {
    mkdirSync(events.file);
    const store = await events.open();
    store.keep(fact(1));
    events.clock.advance(14_000);
    rmSync(events.file, { recursive: true });
    assert.equal(store.check, 'down');
    events.clock.advance(1000);
    while (store.check === 'down') await new Promise(setImmediate);
    assert.deepEqual(await seqs(store), [1]);
  });

  it('get numbers of their own where the file turns out to hold theirs', async () => {
    await filled(100);
    const holder = new DatabaseSync(events.file);
    holder.exec('BEGIN EXCLUSIVE');
    const store = await events.open();
    assert.match(store.problems().join(), /database is locked/);
    const log = new EventLog(store, events.log);
    const told: number[] = [];
    log.onEvent(({ seq }) => told.push(seq));
    const { seq: _, ...happening } = fact(0);
    const happen = () => log.append(happening, events.clock.now());
    for (let n = 0; n < 3; n++) happen();
    await Promise.resolve();
    happen();
    holder.close();
    events.clock.advance(15_000);
    await store.flush();
    happen();
    await Promise.resolve();
    await store.flush();
    assert.deepEqual(told, [1, 2, 3, 4, 105], 'never backwards');
    assert.deepEqual(await seqs(store), numbers(1, 105));
  });

  it('begin a new file when somebody reads what is broken, though not twice in a run', async () => {
    await filled(10_000);
    spoil();
    const store = await events.open();
    assert.deepEqual([store.check, store.lastSeq], ['ok', 10_000]);
    await assert.rejects(store.read(oldest), { code: 'unavailable', message: /malformed/ });
    await store.flush();
    assert.match(store.problems().join(), /^The event log was broken: /);
    for (const seq of numbers(10_001, 20_000)) store.keep(fact(seq));
    await store.flush();
    assert.deepEqual([store.check, await seqs(store)], ['ok', numbers(10_001, 20_000)]);

    spoil();
    await assert.rejects(store.read(oldest), { code: 'unavailable', message: /malformed/ });
    await store.flush();
    assert.equal(store.check, 'down');
    assert.equal(lying().filter((name) => name.includes('broken')).length, 1);
  });

  for (const [what, act, before] of [
    ['removed', () => rmSync(events.file), []],
    ['moved', () => renameSync(events.file, `${events.file}.moved`), []],
    ['replaced', () => renameSync(`${events.file}.other`, events.file), [1, 2, 3]],
  ] as const) {
    it(`go on, with their numbers, in the file that is there after theirs was ${what}`, async () => {
      await filled(3);
      renameSync(events.file, `${events.file}.other`);
      const store = await events.open();
      await store.flush();
      for (const seq of numbers(1, 9)) store.keep(fact(seq));
      await store.flush();
      act();
      store.keep(fact(10));
      await store.flush();
      assert.deepEqual([store.check, await seqs(store)], ['ok', [...before, 10]]);
      assert.match(events.logged('warn').join(), /was removed or replaced: it is opened anew\.$/);
      await store.close();
      assert.deepEqual(events.ask('PRAGMA integrity_check'), ['ok']);
      if (what !== 'moved') return;
      renameSync(`${events.file}.moved`, events.file);
      assert.deepEqual(events.ask('SELECT seq FROM events'), numbers(1, 9), 'whole where it is now');
    });
  }

  it('survive the kill of their process, all that were written', async function () {
    this.timeout(60_000);
    let last = 0;
    for (let round = 0; round < 8; round++) {
      const writer = fork(path.join(import.meta.dirname, '../support/event-writer.ts'), [
        events.file,
        `${3 * 2 ** 20}`,
      ]);
      let said = 0;
      writer.on('message', (seq) => {
        said = Number(seq);
        if (said > last + 1000 * round) writer.kill('SIGKILL');
      });
      await once(writer, 'exit');
      const store = await events.open();
      assert.deepEqual([store.check, store.problems()], ['ok', []]);
      const found = await seqs(store);
      assert.deepEqual(found, numbers(found[0] ?? 0, found.at(-1) ?? 0));
      assert.ok(store.lastSeq >= said, `${store.lastSeq} of ${said}`);
      last = store.lastSeq;
      await store.close();
      assert.deepEqual(events.ask('PRAGMA integrity_check'), ['ok']);
    }
  });
});
