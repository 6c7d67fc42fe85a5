import assert from 'node:assert/strict';
import type { Activity } from '../../../core/scheduler/activity.ts';
import { Lane } from '../../../core/scheduler/lane.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { idsOf, later, settled, stage } from './stage.ts';

describe('Lane: performers that take their time', () => {
  it('ends an activity when what it started settles', async () => {
    const { lane, claim, events, errors } = stage();
    const [good, bad] = [later(), later()];
    claim('good', 'LOW', {}, { start: () => good.promise });
    claim('bad', 'LOW', {}, { start: () => bad.promise });
    good.resolve();
    await settled();
    assert.deepEqual(idsOf(lane.running), ['bad']);
    bad.reject(new Error('no voice'));
    await settled();
    assert.deepEqual(events.slice(-1), ['ended bad failed']);
    assert.deepEqual(errors, ['bad: no voice']);
    assert.equal(lane.completedCount, 1);
  });

  it('waits for a pause that is promised, and gives the place to whom it was made for', async () => {
    const { lane, clock, claim, since } = stage();
    const pause = later();
    const song = claim('song', 'LOW', {}, { pause: () => pause.promise });
    claim('patient', 'HIGH', { policy: 'enqueue' });
    claim('say', 'MEDIUM');
    assert.equal(song.phase, 'pausing');
    assert.deepEqual(idsOf(lane.running), ['song']);
    pause.resolve();
    await settled();
    assert.deepEqual(since(), ['start song', 'start say for song']);
    assert.equal(clock.pending, 0);
  });

  it('pauses no more than are waited for', async () => {
    const { lane, claim, since } = stage({ capacity: 3 });
    const pause = later();
    for (const id of ['a', 'b', 'c']) claim(id, 'LOW', {}, { pause: () => pause.promise });
    claim('x', 'HIGH');
    claim('y', 'MEDIUM');
    assert.deepEqual([...lane.running].map(({ id, phase }) => `${id} ${phase}`).sort(), [
      'a running',
      'b pausing',
      'c pausing',
    ]);
    lane.cancel({ id: 'x' });
    since();
    pause.resolve();
    await settled();
    assert.deepEqual(since(), ['start y for c', 'resume b']);
  });

  it('forgets a pause that is promised by what has ended meanwhile', () => {
    const { lane, clock, claim, since } = stage();
    const pause = ({ id }: Activity) => {
      lane.end(id);
      return later().promise;
    };
    claim('song', 'LOW', {}, { pause });
    claim('say', 'HIGH');
    assert.deepEqual(since(), ['start song', 'start say']);
    assert.equal(clock.pending, 0);
  });

  it('cancels what does not pause within its grace, and what does not end then', async () => {
    const { lane, clock, claim, events, since } = stage({ graceMs: 100 });
    const [pause, cancel] = [later(), later()];
    const song = claim('song', 'LOW', {}, { pause: () => pause.promise, cancel: () => cancel.promise });
    claim('say', 'HIGH');
    clock.advance(99);
    assert.equal(song.phase, 'pausing');
    clock.advance(1);
    assert.equal(song.phase, 'cancelling');
    assert.equal(lane.end('song'), false);
    assert.deepEqual(since(), ['start song']);
    pause.resolve();
    await settled();
    clock.advance(100);
    assert.deepEqual(since(), ['start say']);
    cancel.resolve();
    await settled();
    assert.deepEqual(events.slice(-2), ['ended song cancelled', 'started say']);
    assert.equal(clock.pending, 0);
  });

  it('frees a place once a promised cancellation has settled, even badly', async () => {
    const { lane, claim, since, errors } = stage();
    const [cancel, start] = [later(), later()];
    const song = claim('song', 'LOW', {}, { start: () => start.promise, cancel: () => cancel.promise });
    claim('next', 'LOW');
    assert.equal(lane.cancel({ id: 'song' }), 1);
    assert.equal(lane.cancel({ id: 'song' }), 0);
    start.reject(new Error('aborted'));
    await settled();
    assert.equal(song.phase, 'cancelling');
    cancel.reject(new Error('stuck'));
    await settled();
    assert.equal(song.outcome, 'cancelled');
    assert.deepEqual(errors, ['song: stuck']);
    assert.deepEqual(since(), ['start next']);
  });

  it('waits for no paused activity that is cancelled', () => {
    const { lane, claim } = stage();
    const song = claim('song', 'LOW', {}, { cancel: () => new Promise(() => {}) });
    claim('say', 'HIGH');
    lane.cancel({ id: 'song' });
    assert.equal(song.outcome, 'cancelled');
  });

  it('ends as failed what throws, and goes on', async () => {
    const { lane, claim, errors, since } = stage();
    const fail = () => {
      throw new Error('broken');
    };
    const never = later();
    assert.equal(claim('start', 'LOW', {}, { start: fail }).outcome, 'failed');
    claim('pause', 'LOW', {}, { pause: fail });
    claim('a', 'MEDIUM', {}, { pause: () => never.promise });
    claim('b', 'HIGH', {}, { resume: fail });
    never.reject(new Error('stuck'));
    await settled();
    claim('c', 'URGENT');
    assert.deepEqual(since(), ['start pause', 'start a', 'start b', 'pause b', 'start c for b']);
    lane.end('c');
    assert.deepEqual(errors, ['start: broken', 'pause: broken', 'a: stuck', 'b: broken']);
    const last = claim('last', 'LOW', {}, { cancel: fail });
    lane.cancel({});
    assert.equal(last.outcome, 'cancelled');
    assert.equal(errors.length, 5);
  });
});

describe('Lane: performers and listeners that call back', () => {
  it('starts a claim made within start after it, in the same tick', () => {
    const { lane, claim, calls } = stage();
    claim(
      'a',
      'LOW',
      {},
      {
        start: ({ id }) => {
          calls.push('a starts');
          assert.equal(claim('b', 'HIGH').phase, 'waiting');
          lane.end(id);
          calls.push('a has started');
        },
      },
    );
    assert.deepEqual(calls, ['a starts', 'a has started', 'start b']);
  });

  it('tells every event to all before the next, whatever listeners do', () => {
    const { lane, claim } = stage();
    const [first, second]: string[][] = [[], []];
    lane.onEvent(({ type, activity }) => {
      first?.push(`${type} ${activity.id}`);
      if (type === 'started' && activity.id === 'a') claim('b', 'HIGH');
      if (type === 'started' && activity.id === 'b') lane.end('b');
    });
    const stop = lane.onEvent(({ type, activity }) => void second?.push(`${type} ${activity.id}`));
    claim('a', 'LOW');
    const all = ['waiting a', 'started a', 'waiting b', 'paused a', 'started b', 'ended b', 'resumed a'];
    assert.deepEqual(first, all);
    assert.deepEqual(second, all);
    stop();
    lane.end('a');
    assert.deepEqual(second, all);
  });

  it('goes on when a listener fails', () => {
    const { lane, claim, errors, since } = stage();
    lane.onEvent(() => {
      throw new Error('deaf');
    });
    claim('a', 'LOW');
    assert.deepEqual(errors, ['a: deaf', 'a: deaf']);
    assert.deepEqual(since(), ['start a']);
    assert.equal(lane.running.length, 1);
  });

  it('gives the place back where the claim is withdrawn while it makes room', () => {
    const { lane, claim, since } = stage();
    claim('song', 'LOW', {}, { pause: () => void lane.cancel({ id: 'say' }) });
    claim('say', 'HIGH');
    assert.deepEqual(since(), ['start song', 'resume song']);
  });

  it('starts nothing when it is locked while it makes room, or when cancelling calls back', () => {
    const { lane, claim, since } = stage();
    claim('song', 'LOW', {}, { pause: () => lane.lock() });
    assert.equal(claim('say', 'HIGH').outcome, 'cancelled');
    lane.unlock();
    const refused: unknown[] = [];
    const tryAgain = () => {
      try {
        claim('again', 'URGENT');
      } catch (error) {
        refused.push(error);
      }
    };
    claim('a', 'LOW', {}, { cancel: tryAgain });
    claim('b', 'LOW');
    since();
    lane.lock();
    assert.equal(refused.length, 1);
    assert.deepEqual(since(), []);
    assert.equal(lane.waitingCount, 0);
  });

  it('starts nothing of what is being cancelled together', () => {
    const { lane, claim, since } = stage();
    claim('a', 'LOW', {}, { cancel: () => void claim('new', 'LOW') });
    claim('b', 'LOW');
    since();
    assert.equal(lane.cancel({}), 2);
    assert.deepEqual(since(), ['start new']);
  });

  it('runs a million activities that end within start, and a million that claim the next', () => {
    const clock = new SimulatedClock();
    const lane = new Lane({ clock, random: { id: () => 'made' }, performer: { start: () => {} } });
    let started = 0;
    const start = (activity: Activity) => {
      started++;
      lane.end(activity);
    };
    lane.hold();
    for (let n = 0; n < 1e6; n++) lane.claim({ kind: 'noop', priority: 'LOW' }, { start });
    lane.release();
    assert.equal(started, 1e6);
    const next = (activity: Activity) => {
      lane.end(activity);
      if (++started < 2e6) lane.claim({ kind: 'noop', priority: 'LOW' }, { start: next });
    };
    lane.claim({ kind: 'noop', priority: 'LOW' }, { start: next });
    assert.equal(started, 2e6);
    assert.equal(lane.completedCount, 2e6);
  }).timeout(30_000);
});
