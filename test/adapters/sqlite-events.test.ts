import assert from 'node:assert/strict';
import { EVENT_KINDS } from '../../core/model/event.ts';
import { EventFile, fact, newest, numbers, oldest, seqs, until } from '../support/event-file.ts';

describe('the events in SQLite', () => {
  let events: EventFile;
  beforeEach(() => {
    events = new EventFile();
  });
  afterEach(() => events.remove());

  it('are those that were kept, in their order and to the last letter', async () => {
    const store = await events.open();
    const all = [
      ...EVENT_KINDS.map((kind, n) => fact(n + 1, { kind })),
      fact(7, { subject: 'Noël', cause: 'a "b" \'c\' 💀\n', data: { deep: [{ x: null }], empty: '' } }),
    ];
    for (const event of all) store.keep(event);
    await store.flush();
    assert.deepEqual(await store.read(oldest), all);
    assert.deepEqual(await store.read(newest), all.toReversed());
    assert.deepEqual([store.check, store.problems(), events.log.entries], ['ok', [], []]);
  });

  it('are gathered for a moment, then written together, and later put on the disk', async () => {
    const store = await events.open();
    await store.flush();
    const pending = events.clock.pending;
    for (const seq of numbers(1, 20)) store.keep(fact(seq));
    assert.equal(events.clock.pending, pending + 1);
    events.clock.advance(249);
    assert.equal(events.clock.pending, pending + 1);
    assert.equal(events.bytes('-wal'), 0);
    events.clock.advance(1);
    await until(() => events.bytes('-wal') > 0);
    assert.ok(events.bytes('-wal') < 10_000, 'one transaction writes a page once');
    await until(() => events.clock.pending > pending);
    events.clock.advance(2000);
    await store.flush();
    assert.equal(events.clock.pending, pending, 'nothing is to be done any more');
  });

  it('are written at once where there are many, in pieces between which others have their turn', async () => {
    const store = await events.open();
    await store.flush();
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    for (const seq of numbers(1, 5000)) store.keep(fact(seq));
    setImmediate(count);
    await until(() => events.bytes('-wal') > 0);
    await store.flush();
    isOver = true;
    assert.ok(turns >= 100, `${turns} turns`);
    assert.deepEqual(await seqs(store), numbers(1, 5000));
  });

  it('are read though they wait, each once, while they are written', async () => {
    const store = await events.open();
    await store.flush();
    for (const seq of numbers(1, 3000)) store.keep(fact(seq));
    assert.deepEqual(await seqs(store, { limit: 3 }), [1, 2, 3]);
    let isWritten = false;
    const written = store.flush().then(() => {
      isWritten = true;
    });
    const readings: { last: number; oldest: Promise<number[]>; newest: Promise<number[]> }[] = [];
    await until(() => events.bytes('-wal') > 0);
    for (let last = 3000; !isWritten; last++) {
      if (last % 20 === 5) readings.push({ last, oldest: seqs(store), newest: seqs(store, { first: 'newest' }) });
      await new Promise(setImmediate);
      store.keep(fact(last + 1));
    }
    await written;
    assert.ok(readings.length >= 3, `${readings.length} times`);
    for (const { last, oldest, newest } of readings) {
      assert.deepEqual(await oldest, numbers(1, last));
      assert.deepEqual(await newest, numbers(last, 1));
    }
  });

  it('are found by all that can be asked for', async () => {
    const store = await events.open();
    for (const seq of numbers(1, 4000)) {
      const kind = seq % 1000 === 0 ? 'run' : 'transition';
      store.keep(fact(seq, { kind, subject: seq % 2 === 0 ? 'even' : 'odd', cause: `c${seq % 5}` }));
    }
    const asked = async () => ({
      kind: await seqs(store, { kind: 'run' }),
      both: await seqs(store, { subject: 'odd', cause: 'c0', limit: 3 }),
      newest: await seqs(store, { first: 'newest', subject: 'odd', cause: 'c0', limit: 3 }),
      none: await seqs(store, { subject: 'even', cause: 'c0', kind: 'config' }),
      time: await seqs(store, { from: Date.parse(fact(10).time), to: Date.parse(fact(13).time) }),
      after: await seqs(store, { after: 3997 }),
      before: await seqs(store, { before: 4 }),
      since: await seqs(store, { first: 'newest', after: 3997 }),
      between: await seqs(store, { after: 1990, before: 2010, kind: 'run' }),
      page: await seqs(store, { first: 'newest', before: 2000, limit: 2 }),
    });
    const fromMemory = await asked();
    assert.deepEqual(fromMemory, {
      kind: [1000, 2000, 3000, 4000],
      both: [5, 15, 25],
      newest: [3995, 3985, 3975],
      none: [],
      time: [10, 11, 12],
      after: [3998, 3999, 4000],
      before: [1, 2, 3],
      since: [4000, 3999, 3998],
      between: [2000],
      page: [1999, 1998],
    });
    await store.flush();
    assert.deepEqual(await asked(), fromMemory);
  });

  it('are found behind a gap in their numbers', async () => {
    const store = await events.open();
    for (const seq of [1, 2, 5_000_000_000, 8_000_000_000_000]) store.keep(fact(seq));
    await store.flush();
    assert.deepEqual(await seqs(store), [1, 2, 5_000_000_000, 8_000_000_000_000]);
    assert.deepEqual(await seqs(store, { first: 'newest', before: 5_000_000_000 }), [2, 1]);
  });

  it('go on in another run with the next number', async () => {
    const first = await events.open();
    assert.equal(first.lastSeq, 0);
    for (const seq of numbers(1, 30)) first.keep(fact(seq));
    assert.equal(first.lastSeq, 30);
    await first.close();
    assert.equal(events.bytes('-wal'), 0);
    const second = await events.open();
    assert.equal(second.lastSeq, 30);
    second.keep(fact(31));
    await second.flush();
    assert.deepEqual(await seqs(second), numbers(1, 31));
    assert.equal(events.bytes('-shm'), 0, 'no index of the log on the disk');
  });

  it('of a long burst wait in memory as far as there is room, and the log says what was lost', async () => {
    const store = await events.open();
    await store.flush();
    for (const seq of numbers(1, 10_100)) store.keep(fact(seq));
    assert.match(store.problems().join(), /^100 events could not be kept in the event log and are lost\.$/);
    const written = store.flush();
    await until(() => events.bytes('-wal') > 0);
    for (const seq of numbers(10_101, 20_100)) store.keep(fact(seq));
    const lost = Number.parseInt(store.problems().join(), 10);
    assert.ok(lost > 9000 && lost < 10_100, `${lost} events`);
    await written;
    await store.flush();
    assert.equal((await seqs(store)).length, 20_100 - lost);
    assert.deepEqual(await seqs(store, { after: 10_100 }), numbers(10_101, 20_100));
    assert.deepEqual(events.logged('warn'), [`${lost} events are missing in the event log.`]);
    assert.deepEqual(store.problems(), []);
  });

  it('keep SQLite’s own log small, and the file sound', async () => {
    const store = await events.open();
    let most = 0;
    let isOver = false;
    const look = () => {
      most = Math.max(most, events.bytes('-wal'));
      if (!isOver) setImmediate(look);
    };
    look();
    for (let seq = 1; seq <= 40_000; ) {
      for (const end = seq + 10_000; seq < end; seq++) store.keep(fact(seq, { data: { filler: 'x'.repeat(100) } }));
      await store.flush();
    }
    isOver = true;
    assert.ok(most > 2 ** 19 && most < 2 ** 21, `${most} bytes`);
    await store.close();
    assert.deepEqual(events.ask('PRAGMA integrity_check'), ['ok']);
    assert.deepEqual(events.ask('SELECT count(*) FROM events'), [40_000]);
  });

  it('lose the oldest ones where the file reaches its size, in a file that was larger too', async () => {
    const filler = 'x'.repeat(1000);
    const large = await events.open({ maxBytes: 4 * 2 ** 20 });
    for (let seq = 1; seq <= 8000; ) {
      for (const end = seq + 1000; seq < end; seq++) large.keep(fact(seq, { data: { filler } }));
      await large.flush();
    }
    const kept = await seqs(large);
    assert.deepEqual(kept, numbers(kept[0] ?? 0, 8000));
    assert.ok(kept.length > 3000 && kept.length < 4000, `${kept.length} events`);
    await large.close();
    assert.ok(events.bytes() > 3.9 * 2 ** 20 && events.bytes() < 4.5 * 2 ** 20, `${events.bytes()} bytes`);

    const small = await events.open({ maxBytes: 2 ** 20 });
    await small.flush();
    const left = await seqs(small);
    assert.deepEqual(left, numbers(left[0] ?? 0, 8000));
    assert.ok(left.length > 700 && left.length < 1000, `${left.length} events`);
    await small.close();
    assert.ok(events.bytes() < 1.5 * 2 ** 20, `${events.bytes()} bytes`);
    assert.deepEqual(events.ask('PRAGMA integrity_check'), ['ok']);
  });

  it('are refused where nothing can be read any more', async () => {
    const store = await events.open();
    await store.close();
    await assert.rejects(store.read(newest), { code: 'unavailable' });
  });
});
