import assert from 'node:assert/strict';
import { behind, EventStage, turn, until } from '../../support/event-stage.ts';

describe('what GET /events/stream bears', () => {
  let stage: EventStage;
  beforeEach(async () => {
    stage = await EventStage.start();
  });
  afterEach(() => stage.stop());

  it('cuts off who does not read, once so much waits, and the others never notice', async function () {
    this.timeout(20_000);
    const lazy = await stage.open('', {}, { reads: false });
    const other = await stage.reading();
    other.text = '';
    while (stage.stream.cutOff === 0) {
      stage.happen(1, { size: 64 * 1024 });
      await other.until(({ text }) => text.endsWith('}\n\n'));
      other.text = '';
    }
    assert.equal(stage.stream.readers, 1);
    assert.equal(lazy.status, 200);
    stage.happen();
    await other.until(({ ids }) => ids.includes(stage.events.lastSeq));
  });

  it('cuts off who takes nothing of what is kept for half a minute, and says so once a minute', async function () {
    this.timeout(20_000);
    stage.happen(400, { size: 64 * 1024 });
    const warned = () => stage.log.entries.filter(({ level }) => level === 'warn').map(({ count }) => count);
    const cut = async (count: number) => {
      for (let n = 0; n < count; n++) await stage.open('', behind(1), { reads: false });
      const wanted = stage.stream.cutOff + count;
      while (stage.stream.cutOff < wanted) {
        stage.clock.advance(5000);
        for (let n = 0; n < 100; n++) await turn();
      }
    };
    await cut(1);
    assert.deepEqual(warned(), [1]);
    assert.ok(stage.store.reads < 4, 'reads no more than is taken');
    stage.clock.advance(60_000);
    await cut(2);
    assert.deepEqual(warned(), [1, 1]);
    stage.clock.advance(60_000);
    await cut(1);
    assert.deepEqual(warned(), [1, 1, 2]);
    assert.equal(stage.stream.cutOff, 4);
    await until(() => stage.serving === 0);
    assert.equal(stage.clock.pending, 0);
  });

  it('does not cut off who takes what is kept slowly', async function () {
    this.timeout(20_000);
    stage.happen(900, { size: 64 * 1024 });
    const slow = await stage.open('', behind(1), { reads: false });
    for (let beats = 0; beats < 4; beats++) {
      for (let n = 0; n < 100; n++) await turn();
      stage.clock.advance(15_000);
      await slow.take(12_000_000);
    }
    assert.equal(stage.stream.cutOff, 0);
    assert.equal(stage.stream.readers, 1);
  });

  it('has everything else its turn after each page of what is kept, however many want it', async () => {
    stage.happen(1000);
    const readers = [];
    for (let n = 0; n < 5; n++) readers.push(await stage.open('', behind(1), { reads: false }));
    let most = 0;
    while (stage.store.reads < 50) {
      const before = stage.store.reads;
      await turn();
      most = Math.max(most, stage.store.reads - before);
    }
    assert.equal(most, 1);
  });

  it('takes 1000 readers and refuses a further one', async function () {
    this.timeout(20_000);
    for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 50 }, () => stage.reading()));
    assert.equal(stage.stream.readers, 1000);
    const { detail } = await stage.refused(503);
    assert.match(detail, /1000/);
    stage.opened[0]?.leave();
    await until(() => stage.stream.readers === 999);
    await stage.reading();
  });
});
