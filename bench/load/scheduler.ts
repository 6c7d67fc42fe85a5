/**
 * Arguments: what to measure, and with how many activities. Sends the answer to its parent, a number: no-op tasks per second
 * of the median of several rounds, `switch` and `pre-empting switch` the p99 in µs, `memory` bytes for each that waits.
 */
import { priorityQueue } from 'async';
import BetterQueue from 'better-queue';
import PQueue from 'p-queue';
import { systemClock, systemRandom } from '../../adapters/system.ts';
import { PRIORITIES, type Priority } from '../../core/model/priority.ts';
import type { Performer } from '../../core/scheduler/activity.ts';
import { Lane } from '../../core/scheduler/lane.ts';
import { median, quantile } from '../support/numbers.ts';

const NAMES = Object.keys(PRIORITIES) as Priority[];
const nameAt = (n: number): Priority => NAMES[n % NAMES.length] ?? 'MEDIUM';

const newLane = (performer: Performer) => new Lane({ clock: systemClock, random: systemRandom, performer });

/** Each queues all, in mixed priorities, then runs all; returns how many ran. */
const QUEUES: Record<string, (tasks: number) => number | Promise<number>> = {
  lane(tasks) {
    const lane = newLane({ start: (activity) => lane.end(activity) });
    lane.hold();
    for (let n = 0; n < tasks; n++) lane.claim({ kind: 'noop', priority: nameAt(n) });
    lane.release();
    return lane.completedCount;
  },

  async 'lane with promises'(tasks) {
    let ran = 0;
    const lane = newLane({ start: async () => void ran++ });
    lane.hold();
    for (let n = 0; n < tasks; n++) lane.claim({ kind: 'noop', priority: nameAt(n) });
    lane.release();
    await lane.drain();
    return ran;
  },

  buckets(tasks) {
    let ran = 0;
    const buckets: { fn: () => void }[][] = [[], [], [], [], []];
    for (let n = 0; n < tasks; n++) buckets[n % 5]?.push({ fn: () => void ran++ });
    for (const bucket of buckets) for (let head = 0; head < bucket.length; head++) bucket[head]?.fn();
    return ran;
  },

  /** As a caller needs them who wants to know when his task is over. */
  async 'buckets with promises'(tasks) {
    let ran = 0;
    const task = async () => void ran++;
    interface Entry {
      fn: () => Promise<void>;
      resolve: (value: unknown) => void;
      reject: (error: unknown) => void;
    }
    const buckets: Entry[][] = [[], [], [], [], []];
    const ends: Promise<unknown>[] = [];
    for (let n = 0; n < tasks; n++) {
      ends.push(new Promise((resolve, reject) => buckets[n % 5]?.push({ fn: task, resolve, reject })));
    }
    for (const bucket of buckets) for (const { fn, resolve, reject } of bucket) await fn().then(resolve, reject);
    await Promise.all(ends);
    return ran;
  },

  async 'p-queue'(tasks) {
    let ran = 0;
    const queue = new PQueue({ concurrency: 1, autoStart: false });
    const task = async () => void ran++;
    for (let n = 0; n < tasks; n++) void queue.add(task, { priority: -(n % 5) });
    queue.start();
    await queue.onIdle();
    return ran;
  },

  async 'async.priorityQueue'(tasks) {
    let ran = 0;
    const queue = priorityQueue<number>((_task, done) => {
      ran++;
      done();
    }, 1);
    queue.pause();
    const told = () => {};
    for (let n = 0; n < tasks; n++) queue.push(n, n % 5, told);
    const drained = queue.drain();
    queue.resume();
    await drained;
    return ran;
  },

  async 'better-queue'(tasks) {
    let ran = 0;
    const queue = new BetterQueue<{ id: number }>(
      (_task, done) => {
        ran++;
        done(null);
      },
      { autoResume: false, priority: ({ id }, done) => done(null, id % 5) },
    );
    const drained = new Promise((resolve) => queue.on('drain', resolve));
    for (let id = 0; id < tasks; id++) queue.push({ id });
    queue.resume();
    await drained;
    queue.destroy(() => {});
    return ran;
  },
};

/** Rounds for a second and a half, at least two; the first warms up. */
async function rateOf(run: (tasks: number) => number | Promise<number>, tasks: number): Promise<number> {
  const rates: number[] = [];
  const began = performance.now();
  do {
    const start = performance.now();
    const ran = await run(tasks);
    rates.push((tasks / (performance.now() - start)) * 1000);
    if (ran !== tasks) throw new Error(`${ran} of ${tasks} ran`);
  } while (rates.length < 2 || (performance.now() - began < 1500 && rates.length < 500));
  return median(rates.slice(Math.ceil(rates.length / 3)));
}

/** p99 in µs from the call of claim to the performer's start, with a less urgent activity to pause first or without. */
function switchTime(samples: number, preempts: boolean): number {
  const times: number[] = [];
  let began = 0;
  const start = () => void times.push((performance.now() - began) * 1000);
  const lane = newLane({ start: () => {} });
  if (preempts) lane.claim({ kind: 'sing', priority: 'LOW' }, { start: () => {}, pause: () => {}, resume: () => {} });
  for (let n = 0; n < samples; n++) {
    began = performance.now();
    const activity = lane.claim({ kind: 'say', priority: 'HIGH', key: 'k', ttlMs: 1000 }, { start });
    if (preempts && activity.preempts === undefined) throw new Error('Nothing was pre-empted');
    lane.end(activity.id);
  }
  return quantile(times, 0.99);
}

function bytesPerWaiting(tasks: number): number {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('Needs --expose-gc');
  const lane = newLane({ start: () => {} });
  lane.hold();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < tasks; n++) lane.claim({ kind: 'noop', priority: nameAt(n) });
  collect();
  const bytes = (process.memoryUsage().heapUsed - before) / tasks;
  if (lane.waitingCount !== tasks) throw new Error('Not all wait');
  return bytes;
}

const [what = '', count = ''] = process.argv.slice(2);
const tasks = Number(count);

async function answer(): Promise<number> {
  if (what === 'switch') return switchTime(tasks, false);
  if (what === 'pre-empting switch') return switchTime(tasks, true);
  if (what === 'memory') return bytesPerWaiting(tasks);
  const queue = QUEUES[what];
  if (queue === undefined) throw new Error(`There is no ${what}`);
  return rateOf(queue, tasks);
}

process.send?.(await answer(), () => process.exit());
