import assert from 'node:assert/strict';
import { SkullError } from '../../../core/model/errors.ts';
import { setUp } from '../../support/operations.ts';

/** A character to which one thing a second has happened: transitions, and each tenth time a run's. */
async function lived(count: number) {
  const parts = setUp();
  const { events } = parts.character;
  for (let n = 1; n <= count; n++) {
    parts.clock.advance(1000);
    if (n % 10 === 0) events.append({ kind: 'run', subject: `r${n % 20}`, cause: 'test', data: { n } });
    else events.append({ kind: 'transition', subject: 'test', cause: `c${n % 2}`, data: { n } });
  }
  await Promise.resolve();
  const about = (answer: unknown): unknown[] => Object(answer).items.map(({ data }: { data: { n: number } }) => data.n);
  const list = async (query: Record<string, string> = {}) => about(await parts.ask('listEvents', { query }));
  return { ...parts, list };
}

describe('GET /events', () => {
  it('lists what happened, the newest first, in pages', async () => {
    const { ask, list } = await lived(120);
    const all = await list({ limit: '500' });
    assert.deepEqual(
      all,
      Array.from({ length: 120 }, (_, n) => 120 - n),
    );
    const pages: unknown[] = [];
    for (let query: Record<string, string> = {}; ; ) {
      const page = Object(await ask('listEvents', { query }));
      pages.push(...page.items);
      if (page.next_cursor === null) break;
      assert.equal(page.items.length, 50);
      query = { cursor: page.next_cursor };
    }
    assert.deepEqual(pages, Object(await ask('listEvents', { query: { limit: '500' } })).items);
    assert.equal((await list({ limit: '120' })).length, 120);
    assert.equal(Object(await ask('listEvents', { query: { limit: '120' } })).next_cursor, null);
  });

  it('goes on behind an event that is not kept any more, and does not see what came since', async () => {
    const { ask, list, character } = await lived(3);
    const { next_cursor: cursor } = Object(await ask('listEvents', { query: { limit: '1' } }));
    for (let n = 0; n < 2500; n++) character.events.append({ kind: 'rest', subject: 'x', cause: 'y', data: {} });
    await Promise.resolve();
    assert.deepEqual(await list({ cursor }), []);
  });

  it('finds by all that is given', async () => {
    const { list } = await lived(40);
    assert.deepEqual(await list({ kind: 'run' }), [40, 30, 20, 10]);
    assert.deepEqual(await list({ run_id: 'r10' }), [30, 10]);
    assert.deepEqual(await list({ run_id: 'r10', kind: 'run', subject: 'r10' }), [30, 10]);
    assert.deepEqual(await list({ subject: 'test', cause: 'c1', limit: '2' }), [39, 37]);
    assert.deepEqual(await list({ from: '2026-01-01T00:00:10Z', to: '2026-01-01T00:00:12.000Z' }), [11, 10]);
    assert.deepEqual(await list({ from: '2026-01-01T02:00:39+02:00' }), [40, 39]);
    assert.deepEqual(await list({ kind: 'config' }), []);
  });

  it('refuses what it cannot understand', async () => {
    const { refused } = await lived(3);
    for (const [query, place] of [
      [{ limit: '0' }, '/limit'],
      [{ limit: '501' }, '/limit'],
      [{ kind: 'party' }, '/kind'],
      [{ subject: '' }, '/subject'],
      [{ cause: 'x'.repeat(201) }, '/cause'],
      [{ from: 'yesterday' }, '/from'],
      [{ from: '2026-01-01' }, '/from'],
      [{ from: '2026-01-01T00:00:00' }, '/from'],
      [{ from: '2026-02-30T00:00:00Z' }, '/from'],
      [{ to: '2026-01-01T02:00:00 02:00' }, '/to'],
      [{ to: '2026-12-31T23:59:60Z' }, '/to'],
      [{ run_id: 'r10', kind: 'config' }, '/kind'],
      [{ run_id: 'r10', subject: 'r0' }, '/subject'],
      [{ since: '1' }, '/since'],
      [{ kind: ['run', 'rest'] }, '/kind'],
      ...['0', '-1', '1.5', '1e3', ' 1', 'thriller', '9'.repeat(30)].map((cursor) => [{ cursor }, '/cursor'] as const),
    ] as const) {
      const { issues } = await refused('listEvents', 'invalid', { query });
      assert.ok(
        issues.some((issue) => issue.path === place),
        JSON.stringify([query, issues]),
      );
    }
  });

  it('says that nothing can be read', async () => {
    const { character, refused } = await lived(3);
    character.ports.events.read = async () => {
      throw new SkullError('unavailable', 'The event log cannot be read.');
    };
    await refused('listEvents', 'unavailable');
  });
});
