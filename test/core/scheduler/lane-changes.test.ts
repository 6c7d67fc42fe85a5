import assert from 'node:assert/strict';
import { idsOf, settled, stage } from './stage.ts';

describe('Lane: time to live and keys', () => {
  it('lets a claim go at once when its time is over, with one timer for all', () => {
    const { lane, clock, claim, events } = stage();
    claim('song', 'LOW', { ttlMs: 10 });
    claim('b', 'LOW', { ttlMs: 200 });
    claim('c', 'LOW', { ttlMs: 100 });
    claim('d', 'LOW', { ttlMs: 300 });
    claim('e', 'LOW');
    assert.equal(clock.pending, 1);
    clock.advance(99);
    assert.equal(lane.waitingCount, 4);
    clock.advance(1);
    assert.deepEqual(idsOf(lane.waiting()), ['b', 'd', 'e']);
    lane.cancel({ id: 'b' });
    clock.advance(199);
    assert.equal(lane.waitingCount, 2);
    clock.advance(1);
    assert.deepEqual(events.slice(-3), ['ended c expired', 'ended b cancelled', 'ended d expired']);
    assert.equal(clock.pending, 0);
    assert.equal(lane.running.length, 1);
  });

  it('never starts what is too late, though its timer is late as well', () => {
    let now = 0;
    const clock = { now: () => now, elapsed: () => now, setTimeout: () => 0, clearTimeout: () => {} };
    const { lane, claim, since } = stage({ clock });
    claim('a', 'LOW');
    claim('b', 'LOW', { ttlMs: 10 });
    claim('c', 'LOW', { ttlMs: 20, key: 'k' });
    now = 10;
    lane.end('a');
    assert.deepEqual(since(), ['start a', 'start c']);
    const late = claim('late', 'LOW', { ttlMs: 5, key: 'k' });
    now = 15;
    assert.notEqual(claim('d', 'LOW', { key: 'k' }), late);
    assert.equal(late.outcome, 'expired');
  });

  it('waits longer than a timer can', () => {
    const { clock } = stage();
    const setTimeout = (callback: () => void, ms: number) => clock.setTimeout(callback, ms < 2 ** 31 ? ms : 1);
    const clearTimeout = (timer: unknown) => clock.clearTimeout(timer);
    const most = { now: () => clock.now(), elapsed: () => clock.elapsed(), setTimeout, clearTimeout };
    const { lane, claim } = stage({ clock: most });
    claim('song', 'LOW');
    claim('b', 'LOW', { ttlMs: 2 ** 32 });
    assert.equal(clock.pending, 1);
    clock.advance(1);
    clock.advance(2 ** 32 - 2);
    assert.equal(lane.waitingCount, 1);
    clock.advance(1);
    assert.equal(lane.waitingCount, 0);
  });

  it('takes a second claim with the key of a waiting one for that one', () => {
    const { lane, claim, since } = stage();
    claim('song', 'HIGH');
    const greeting = claim('greeting', 'LOW', { key: 'greet' });
    claim('other', 'MEDIUM');
    assert.equal(claim('again', 'BACKGROUND', { key: 'greet' }), greeting);
    assert.equal(greeting.priority, 'LOW');
    assert.equal(claim('again', 'MEDIUM', { key: 'greet', policy: 'reject' }), greeting);
    assert.equal(greeting.priority, 'MEDIUM');
    assert.deepEqual(idsOf(lane.waiting()), ['other', 'greeting']);
    since();
    claim('again', 'URGENT', { key: 'greet' });
    assert.deepEqual(since(), ['pause song', 'start greeting for song']);
    assert.notEqual(claim('again', 'LOW', { key: 'greet' }), greeting);
    lane.cancel({ id: 'again' });
    assert.equal(claim('third', 'LOW', { key: 'greet' }).phase, 'waiting');
  });
});

describe('Lane: changes of mind', () => {
  it('cancels by id, by kind, and only what has started', () => {
    const { lane, claim, since, events } = stage({ capacity: 2 });
    claim('song', 'LOW', { kind: 'sing' });
    claim('say', 'LOW', { kind: 'say' });
    claim('urgent', 'URGENT', { kind: 'sing' });
    claim('wait', 'LOW', { kind: 'sing' });
    claim('wait too', 'LOW', { kind: 'say' });
    since();
    assert.equal(lane.cancel({ id: 'nobody' }), 0);
    assert.equal(lane.cancel({ id: 'wait', waiting: false }), 0);
    assert.equal(lane.cancel({ id: 'wait', kinds: ['say'] }), 0);
    assert.equal(lane.cancel({ kinds: ['say'], waiting: false }), 1);
    assert.deepEqual(since(), ['cancel say']);
    assert.equal(events.at(-1), 'ended say cancelled');
    assert.equal(lane.cancel({ id: 'wait too' }), 1);
    assert.deepEqual(since(), []);
    assert.equal(lane.cancel({}), 3);
    assert.deepEqual(since(), ['cancel urgent', 'cancel song']);
    assert.deepEqual([lane.running.length, lane.waitingCount, lane.pausedCount], [0, 0, 0]);
  });

  it('aborts the signal of what is cancelled, at once and whenever it is asked for', () => {
    const { lane, claim } = stage();
    const song = claim('song', 'LOW', {}, { cancel: () => new Promise(() => {}) });
    const [asked, unasked] = [claim('asked', 'LOW'), claim('unasked', 'LOW')];
    const signals = [song.signal, asked.signal];
    assert.ok(signals.every(({ aborted }) => !aborted));
    lane.cancel({});
    assert.equal(song.phase, 'cancelling');
    assert.ok([...signals, unasked.signal].every(({ aborted }) => aborted));
    lane.lock();
    lane.unlock();
    const done = claim('done', 'LOW');
    lane.end('done');
    assert.equal(done.signal.aborted, false);
  });

  it('changes the priority of what waits, is paused or runs', () => {
    const { lane, claim, since } = stage();
    claim('a', 'LOW');
    claim('b', 'LOW');
    claim('c', 'LOW');
    assert.equal(lane.setPriority('nobody', 'HIGH'), false);
    assert.equal(lane.setPriority('b', 'LOW'), true);
    assert.deepEqual(idsOf(lane.waiting()), ['b', 'c']);
    lane.setPriority('b', 'BACKGROUND');
    lane.setPriority('b', 'LOW');
    assert.deepEqual(idsOf(lane.waiting()), ['c', 'b']);
    since();
    lane.setPriority('b', 'URGENT');
    assert.deepEqual(since(), ['pause a', 'start b for a']);
    lane.setPriority('a', 'HIGH');
    lane.setPriority('b', 'MEDIUM');
    assert.deepEqual(since(), ['pause b', 'resume a for b']);
    lane.setPriority('c', 'MEDIUM');
    lane.end('a');
    assert.deepEqual(since(), ['resume b']);
  });

  it('puts a paused one before its new equals', () => {
    const { lane, claim } = stage({ capacity: 2 });
    claim('a', 'LOW');
    claim('b', 'MEDIUM');
    claim('x', 'URGENT');
    claim('y', 'URGENT');
    assert.deepEqual(idsOf(lane.paused()), ['b', 'a']);
    lane.setPriority('a', 'MEDIUM');
    assert.deepEqual(idsOf(lane.paused()), ['a', 'b']);
  });

  it('starts, resumes and pauses nothing while held', () => {
    const { lane, claim, since } = stage();
    claim('a', 'LOW');
    claim('b', 'MEDIUM');
    since();
    lane.hold();
    assert.equal(lane.held, true);
    claim('c', 'URGENT');
    lane.end('b');
    assert.deepEqual(since(), []);
    lane.release();
    assert.deepEqual(since(), ['start c']);
    assert.equal(lane.find('c')?.preempts, undefined);
  });

  it('drains: refuses claims, ends when nothing is left', async () => {
    const { lane, claim } = stage();
    claim('a', 'LOW');
    claim('b', 'LOW');
    let drained = false;
    const draining = lane.drain().then(() => {
      drained = true;
    });
    assert.equal(lane.draining, true);
    assert.throws(() => claim('c', 'LOW'), { code: 'conflict' });
    lane.end('a');
    await settled();
    assert.equal(drained, false);
    lane.end('b');
    await draining;
    lane.release();
    claim('c', 'LOW');
    lane.end('c');
    await lane.drain();
  });

  it('locks: cancels everything without waiting, refuses claims, starts nothing', async () => {
    const { lane, clock, claim, since, events } = stage({ capacity: 2 });
    const never = () => new Promise<void>(() => {});
    const [song] = [claim('song', 'LOW', {}, { cancel: never }), claim('b', 'LOW')];
    claim('c', 'HIGH');
    claim('d', 'HIGH', { interruptible: false }, { cancel: never });
    claim('e', 'LOW', { ttlMs: 50 });
    lane.cancel({ id: 'd' });
    since();
    lane.lock();
    assert.equal(lane.locked, true);
    assert.deepEqual(since(), ['cancel c', 'cancel b']);
    assert.equal(song.outcome, 'cancelled');
    assert.equal(lane.running.length + lane.waitingCount + lane.pausedCount, 0);
    assert.deepEqual(
      events.slice(-5),
      ['c', 'd', 'song', 'b', 'e'].map((id) => `ended ${id} cancelled`),
    );
    assert.equal(clock.pending, 0);
    assert.throws(() => claim('f', 'URGENT'), { code: 'conflict' });
    lane.release();
    assert.throws(() => claim('f', 'URGENT'), { code: 'conflict' });
    lane.unlock();
    assert.equal(lane.end('song'), false);
    claim('f', 'URGENT');
    assert.deepEqual(since(), ['start f']);
  });
});
