import assert from 'node:assert/strict';
import fc from 'fast-check';
import { behind, EventStage, span, turn, until } from '../../support/event-stage.ts';

describe('GET /events/stream', () => {
  let stage: EventStage;
  beforeEach(async () => {
    stage = await EventStage.start();
  });
  afterEach(() => stage.stop());

  it('answers at once, as something that nobody keeps, collects or stores', async () => {
    const { headers, text } = await stage.reading();
    assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-accel-buffering'], 'no');
    assert.deepEqual([headers.connection, headers['transfer-encoding']], ['close', undefined]);
    assert.match(text, /^retry: \d+\n\n$/);
  });

  it('sends each reader each event, in order, from now on', async () => {
    stage.happen(3);
    const readers = [await stage.reading(), await stage.reading(), await stage.reading()];
    stage.happen(2);
    await turn();
    stage.happen(200, { kind: 'transition' });
    for (const reader of readers) await reader.until(({ ids }) => ids.includes(205));
    for (const { ids } of readers) assert.deepEqual(ids, span(4, 205));
    const data = { seq: 4, time: '2026-01-01T00:00:00.000Z', kind: 'config', subject: 'gaze', cause: 'rest', data: {} };
    assert.deepEqual(readers[0]?.heard[0], { id: 4, kind: 'config', data });
    assert.equal(readers[0]?.heard[2]?.kind, 'transition');
  });

  it('writes to many readers in several turns, and loses nothing of what happens between them', async () => {
    const readers = await Promise.all(Array.from({ length: 120 }, () => stage.reading()));
    for (let n = 0; n < 30; n++) {
      stage.happen();
      await turn();
    }
    for (const reader of readers) await reader.until(({ ids }) => ids.includes(30));
    for (const { ids } of readers) assert.deepEqual(ids, span(1, 30));
  });

  it('leaves out what is not asked for', async () => {
    stage.happen(1, { kind: 'run', subject: 'r1' });
    const [configs, run] = [await stage.reading('?kind=config'), await stage.reading('?run_id=r1', behind(1))];
    stage.happen(1, { kind: 'transition' });
    stage.happen(1, { kind: 'config' });
    stage.happen(1, { kind: 'activity', subject: 'r1' });
    stage.happen(1, { kind: 'run', subject: 'r1' });
    stage.happen(1, { kind: 'config' });
    await configs.until(({ ids }) => ids.includes(6));
    await run.until(({ ids }) => ids.length > 0);
    assert.deepEqual(configs.ids, [3, 6]);
    assert.deepEqual(run.ids, [5]);
    const earlier = await stage.reading('?run_id=r1&kind=run', behind(3));
    await earlier.until(({ ids }) => ids.length > 0);
    assert.deepEqual(earlier.ids, [5]);
  });

  it('shows times in the zone that is asked for, now and of what is kept', async () => {
    stage.happen();
    const utc = await stage.reading();
    const paris = await stage.reading('', { 'x-timezone': 'Europe/Paris', ...behind(1) });
    const tokyo = await stage.reading('', { 'x-timezone': 'Asia/Tokyo', ...behind(1) });
    stage.happen();
    for (const reader of [paris, tokyo, utc]) await reader.until(({ ids }) => ids.length === 1);
    const times = [paris, tokyo, utc].map(({ heard }) => heard[0]?.data.time);
    assert.deepEqual(times, [
      '2026-01-01T01:00:00.000+01:00',
      '2026-01-01T09:00:00.000+09:00',
      '2026-01-01T00:00:00.000Z',
    ]);
    const kept = await stage.reading('', { 'x-timezone': 'Asia/Tokyo', ...behind(1) });
    await kept.until(({ ids }) => ids.length === 1);
    assert.deepEqual(kept.heard, tokyo.heard);
    await stage.refused(400, '', { 'x-timezone': 'Asia/Nowhere' });
  });

  it('refuses what it does not know', async () => {
    for (const query of [
      '?kind=nothing',
      '?run_id=',
      '?since=5',
      '?kind=config&kind=run',
      '?kind=config&run_id=r',
      '?last_event_id=5',
    ]) {
      const { errors } = await stage.refused(400, query);
      assert.equal(errors.length, 1, query);
    }
    for (const id of ['0', '-1', '1.5', '01', 'abc', '9007199254740993', '1e3', '']) {
      const { errors } = await stage.refused(400, '', behind(id));
      assert.equal(errors[0].path, 'Last-Event-ID', id);
    }
    assert.equal(stage.stream.readers, 0);
  });

  it('goes on behind the last event that a reader had', async () => {
    stage.happen(350);
    const reader = await stage.reading('', behind(120));
    await reader.until(({ ids }) => ids.includes(350));
    stage.happen(2);
    await reader.until(({ ids }) => ids.includes(352));
    assert.deepEqual(reader.ids, span(121, 352));
  });

  it('begins with the oldest that is kept, where what follows is deleted', async () => {
    stage.happen(2500);
    await Promise.resolve();
    const [oldest] = await stage.store.read({ first: 'oldest', limit: 1 });
    const reader = await stage.reading('', behind(7));
    await reader.until(({ ids }) => ids.includes(2500));
    assert.deepEqual(reader.ids, span(oldest?.seq ?? 0, 2500));
  });

  it('begins now behind a number of another database, and says so', async () => {
    stage.happen(3);
    const reader = await stage.reading('', behind(99));
    stage.happen();
    await reader.until(({ ids }) => ids.length > 0);
    assert.match(reader.text, /\n\n: .*99.*3.*\n\n/);
    assert.deepEqual(reader.ids, [4]);
  });

  it('loses and doubles nothing, whatever happens while the log is read', async function () {
    this.timeout(60_000);
    const step = fc.record({ events: fc.nat({ max: 130 }), turns: fc.nat({ max: 3 }), leaves: fc.boolean() });
    const runs = fc.record({
      kept: fc.integer({ min: 1, max: 400 }),
      after: fc.nat({ max: 3 }),
      before: fc.nat({ max: 3 }),
      kind: fc.constantFrom(undefined, 'run' as const, 'config' as const),
      steps: fc.array(step, { minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ kept, after, before, kind, steps }) => {
        await stage.stop();
        stage = await EventStage.start();
        Object.assign(stage.store, { after, before });
        const mix = (count: number) => {
          for (let n = 0; n < count; n++) stage.happen(1, { kind: stage.events.lastSeq % 3 === 0 ? 'run' : 'config' });
        };
        mix(kept);
        const query = kind === undefined ? '' : `?kind=${kind}`;
        const ids: number[] = [];
        const other = await stage.open(query);
        let reader = await stage.open(query, behind(1));
        const comeAgain = async () => {
          reader.leave();
          ids.push(...reader.ids);
          reader = await stage.open(query, behind(ids.at(-1) ?? 1));
        };
        for (const { events: count, turns, leaves } of steps) {
          mix(count);
          for (let n = 0; n < turns; n++) await turn();
          if (leaves) await comeAgain();
        }
        mix(3);
        const wanted = span(2, stage.events.lastSeq).filter(
          (seq) => kind === undefined || kind === ((seq - 1) % 3 === 0 ? 'run' : 'config'),
        );
        await reader.until((now) => (now.ids.at(-1) ?? ids.at(-1) ?? 0) >= (wanted.at(-1) ?? 0));
        assert.deepEqual([...ids, ...reader.ids], wanted);
        await other.until((now) => now.ids.at(-1) === wanted.at(-1));
        assert.deepEqual(other.ids, wanted.slice(-other.ids.length));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses with 503 as long as nothing is sent, when the log cannot be read', async () => {
    stage.happen(250);
    stage.store.readable = 0;
    const { detail } = await stage.refused(503, '', behind(1));
    assert.match(detail, /cannot be read/);
    assert.equal(stage.stream.readers, 0);
    const { status } = await stage.reading();
    assert.equal(status, 200);
  });

  it('breaks off when the log cannot be read any more', async () => {
    stage.happen(250);
    stage.store.readable = 1;
    const reader = await stage.open('', behind(1));
    await reader.end();
    assert.deepEqual(reader.ids, span(2, 101));
  });

  it('shows a sign of life every 15 seconds, by one timer, and has none while nobody reads', async () => {
    assert.equal(stage.clock.pending, 0);
    const [one, two] = [await stage.reading(), await stage.reading()];
    assert.equal(stage.clock.pending, 1);
    one.text = two.text = '';
    stage.clock.advance(14_999);
    await turn();
    assert.equal(one.text, '');
    stage.clock.advance(1);
    for (const reader of [one, two]) await reader.until(({ text }) => text === ':\n\n');
    stage.clock.advance(15_000);
    await one.until(({ text }) => text === ':\n\n:\n\n');
    one.leave();
    await until(() => stage.stream.readers === 1);
    assert.equal(stage.clock.pending, 1);
    two.leave();
    await until(() => stage.stream.readers === 0);
    assert.equal(stage.clock.pending, 0);
    const third = await stage.reading();
    stage.happen();
    await third.until(({ ids }) => ids.length === 1);
    assert.equal(stage.clock.pending, 1);
  });

  it('ends all streams when the process stops, also those that it reads the log for', async () => {
    stage.happen(3);
    const readers = [await stage.reading(), await stage.reading()];
    stage.store.before = 100;
    const late = stage.refused(503, '', behind(1));
    await until(() => stage.stream.readers === 3);
    const closed = new Promise((resolve) => stage.server.close(resolve));
    stage.stream.close();
    for (const reader of readers) await reader.end();
    await late;
    stage.server.closeIdleConnections();
    await closed;
    assert.equal(stage.clock.pending, 0);
    assert.equal(stage.stream.readers, 0);
  });

  it('takes no further reader once it is closed', async () => {
    stage.stream.close();
    await stage.refused(503);
  });

  it('answers HEAD with the head of the answer', async () => {
    const { status, headers, body } = await stage.ask('', { method: 'HEAD' });
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(body, null);
    assert.equal(stage.stream.readers, 0);
  });

  it('takes a viewer, and nobody without a key', async () => {
    await stage.stop();
    stage = await EventStage.start({ API_KEY: 'boss', API_KEYS: 'viewer:look' });
    await stage.refused(401);
    await stage.refused(401, '', { 'x-api-key': 'wrong' });
    assert.equal(stage.stream.readers, 0);
    const reader = await stage.reading('', { 'x-api-key': 'look' });
    stage.happen();
    await reader.until(({ ids }) => ids.length === 1);
    await stage.reading('', { authorization: 'Bearer boss' });
  });
});
