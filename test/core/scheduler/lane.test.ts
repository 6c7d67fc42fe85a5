import assert from 'node:assert/strict';
import { idsOf, stage } from './stage.ts';

describe('Lane: who is next', () => {
  it('starts a claim at once where a place is free', () => {
    const { lane, clock, claim, calls, events } = stage();
    clock.advance(7);
    const song = claim('song', 'LOW', { name: 'Thriller', args: { song: 'thriller' }, cause: 'rest' });
    assert.deepEqual(calls, ['start song']);
    assert.deepEqual(events, ['waiting song', 'started song']);
    assert.equal(lane.find('song'), song);
    const { kind, name, priority, interruptible, args, cause, phase, claimedAt, startedAt, outcome } = song;
    assert.deepEqual(
      { kind, name, priority, interruptible, args, cause, phase, claimedAt, startedAt, outcome },
      {
        kind: 'show',
        name: 'Thriller',
        priority: 'LOW',
        interruptible: true,
        args: { song: 'thriller' },
        cause: 'rest',
        phase: 'running',
        claimedAt: 7,
        startedAt: 7,
        outcome: undefined,
      },
    );
  });

  it('runs as many as there are places', () => {
    const { lane, claim, calls } = stage({ capacity: 2 });
    for (const id of ['a', 'b', 'c']) claim(id, 'LOW');
    assert.deepEqual(calls, ['start a', 'start b']);
    assert.deepEqual(idsOf(lane.running).sort(), ['a', 'b']);
    assert.deepEqual(idsOf(lane.waiting()), ['c']);
    lane.end('a');
    assert.deepEqual(calls, ['start a', 'start b', 'start c']);
  });

  it('lets no more wait than it is told to', () => {
    const { lane, claim } = stage({ maxWaiting: 2 });
    for (const id of ['a', 'b', 'c']) claim(id, 'LOW');
    assert.throws(() => claim('d', 'LOW'), { code: 'too_many_requests' });
    lane.end('a');
    claim('d', 'LOW');
    assert.deepEqual(idsOf(lane.waiting()), ['c', 'd']);
  });

  it('starts by priority, then in the order of the claims', () => {
    const { lane, claim, since } = stage();
    claim('first', 'URGENT', { interruptible: false });
    for (const [id, priority] of [
      ['background', 'BACKGROUND'],
      ['low 1', 'LOW'],
      ['urgent', 'URGENT'],
      ['low 2', 'LOW'],
      ['medium', 'MEDIUM'],
      ['high', 'HIGH'],
    ] as const) {
      claim(id, priority, { policy: id === 'low 1' ? 'enqueue' : 'interrupt' });
    }
    const order = ['urgent', 'high', 'medium', 'low 1', 'low 2', 'background'];
    assert.deepEqual(idsOf(lane.waiting()), order);
    since();
    for (const { id } of [...lane.running, ...lane.waiting()]) lane.end(id);
    assert.deepEqual(
      since(),
      order.map((id) => `start ${id}`),
    );
    assert.equal(lane.completedCount, 7);
  });

  it('pauses the less urgent first, then starts, and resumes it before its equals', () => {
    const { lane, claim, since, events } = stage();
    claim('song', 'LOW');
    claim('other song', 'LOW');
    claim('say', 'HIGH');
    assert.deepEqual(since(), ['start song', 'pause song', 'start say for song']);
    assert.deepEqual(idsOf(lane.paused()), ['song']);
    lane.end('say');
    assert.deepEqual(since(), ['resume song']);
    assert.equal(lane.find('song')?.preempts, undefined);
    assert.equal(lane.find('song')?.startedAt, 0);
    lane.end('song');
    assert.deepEqual(since(), ['start other song']);
    assert.deepEqual(events, [
      'waiting song',
      'started song',
      'waiting other song',
      'waiting say',
      'paused song',
      'started say',
      'ended say completed',
      'resumed song',
      'ended song completed',
      'started other song',
    ]);
  });

  it('starts a more urgent one that waits before it resumes a paused one', () => {
    const { lane, claim, since } = stage();
    claim('song', 'LOW');
    claim('say', 'HIGH');
    claim('greet', 'MEDIUM');
    since();
    lane.end('say');
    assert.deepEqual(since(), ['start greet']);
    lane.end('greet');
    assert.deepEqual(since(), ['resume song']);
  });

  it('does not interrupt an equal, nor what may not be interrupted', () => {
    const { lane, claim, since } = stage();
    claim('stream', 'LOW', { interruptible: false });
    claim('urgent', 'URGENT');
    assert.deepEqual(since(), ['start stream']);
    lane.end('stream');
    claim('urgent too', 'URGENT');
    assert.deepEqual(since(), ['start urgent']);
  });

  it('interrupts the least urgent, of equals the one that came to its place last', () => {
    const { claim, since } = stage({ capacity: 4 });
    claim('medium', 'MEDIUM');
    claim('low 1', 'LOW');
    claim('low 2', 'LOW');
    claim('background', 'BACKGROUND', { interruptible: false });
    since();
    claim('a', 'URGENT');
    claim('b', 'URGENT');
    claim('c', 'URGENT');
    claim('d', 'URGENT');
    assert.deepEqual(since(), [
      'pause low 2',
      'start a for low 2',
      'pause low 1',
      'start b for low 1',
      'pause medium',
      'start c for medium',
    ]);
  });

  it('waits its turn by policy enqueue, even if more urgent, and lets others interrupt', () => {
    const { lane, claim, since } = stage();
    claim('song', 'LOW');
    claim('patient', 'URGENT', { policy: 'enqueue' });
    assert.deepEqual(since(), ['start song']);
    claim('say', 'HIGH');
    assert.deepEqual(since(), ['pause song', 'start say for song']);
    lane.end('say');
    assert.deepEqual(since(), ['start patient']);
  });

  it('refuses by policy reject where no place is free', () => {
    const { lane, claim, since } = stage();
    claim('first', 'LOW', { policy: 'reject' });
    assert.throws(() => claim('second', 'URGENT', { policy: 'reject' }), { code: 'busy' });
    assert.equal(lane.find('second'), undefined);
    lane.end('first');
    lane.hold();
    assert.throws(() => claim('second', 'URGENT', { policy: 'reject' }), { code: 'busy' });
    assert.deepEqual(since(), ['start first']);
  });

  for (const [what, claim, path] of [
    ['an id that lives', { id: 'a' }, 'id'],
    ['a ttl of nothing', { id: 'b', ttlMs: 0 }, 'ttlMs'],
    ['a negative ttl', { id: 'b', ttlMs: -5 }, 'ttlMs'],
    ['an endless ttl', { id: 'b', ttlMs: Number.POSITIVE_INFINITY }, 'ttlMs'],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { lane, events, ...stages } = stage();
      stages.claim('a', 'LOW');
      assert.throws(
        () => lane.claim({ kind: 'show', priority: 'LOW', ...claim }),
        ({ code, issues }) => code === 'invalid' && issues[0].path === path,
      );
      assert.equal(events.length, 2);
    });
  }

  it('refuses numbers that make no lane', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) assert.throws(() => stage({ capacity }), { code: 'invalid' });
    for (const graceMs of [-1, Number.NaN]) assert.throws(() => stage({ graceMs }), { code: 'invalid' });
  });

  it('makes ids that nobody uses', () => {
    const { lane, claim } = stage();
    claim('made-1', 'LOW');
    const made = [1, 2, 3].map(() => lane.claim({ kind: 'show', priority: 'LOW' }));
    assert.deepEqual(idsOf(made), ['made-2', 'made-3', 'made-4']);
    for (const activity of made) assert.equal(lane.find(activity.id), activity);
    lane.cancel({});
    assert.equal(lane.find('made-2'), undefined);
    assert.equal(made[0]?.id, 'made-2');
  });

  it('ends by the activity itself as by its id, and knows its own', () => {
    const [one, other] = [stage(), stage()];
    const activity = one.lane.claim({ kind: 'show', priority: 'LOW' });
    assert.equal(other.lane.end(activity), false);
    assert.equal(one.lane.end(activity, 'timed_out'), true);
    assert.equal(activity.outcome, 'timed_out');
    assert.equal(one.lane.end(activity), false);
    assert.equal(one.lane.end('nobody'), false);
  });
});
