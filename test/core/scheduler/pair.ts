import assert from 'node:assert/strict';
import { PRIORITIES } from '../../../core/model/priority.ts';
import type { Activity, LaneEvent, Performer } from '../../../core/scheduler/activity.ts';
import { Lane } from '../../../core/scheduler/lane.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { type Call, Model, type ModelClaim } from './model.ts';
import type { Operation } from './operations.ts';
import { idsOf, later, settled } from './stage.ts';

export const GRACE_MS = 30;

const wordsOf = ({ type, activity }: LaneEvent) =>
  `${type} ${activity.id}${type === 'ended' ? ` ${activity.outcome}` : ''}`;

/** A lane beside its model; what is done to one is done to the other. */
export class Pair {
  readonly clock = new SimulatedClock(0);
  readonly lane: Lane;
  readonly model: Model;
  readonly claimed: string[] = [];
  readonly #promised: { call: Call; id: string; promise: ReturnType<typeof later> }[] = [];
  readonly #capacity: number;
  readonly #drains: { resolved: boolean }[] = [];
  #calls: string[] = [];
  #events: string[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
    const performer = { start: () => {} };
    const random = { id: () => 'made' };
    this.lane = new Lane({ clock: this.clock, random, performer, capacity, graceMs: GRACE_MS });
    this.lane.onEvent((event) => void this.#events.push(wordsOf(event)));
    this.model = new Model(capacity, GRACE_MS);
  }

  async do(operation: Operation): Promise<void> {
    this.#apply(operation);
    await settled();
    // Where several are met at once, in no order among them.
    const several = ['wait', 'lock', 'cancel kind'].includes(operation.do);
    const sorted = (list: string[]) => (several ? list.sort() : list);
    assert.deepEqual(sorted(this.#calls), sorted(this.model.calls));
    assert.deepEqual(sorted(this.#events), sorted(this.model.events));
    this.#calls = [];
    this.#events = [];
    this.model.calls = [];
    this.model.events = [];
    this.#compare();
  }

  #apply(operation: Operation): void {
    const { lane, model } = this;
    const idOf = (at: number) => this.claimed[at % this.claimed.length] ?? 'nobody';
    switch (operation.do) {
      case 'claim': {
        const claim = { ...operation, id: `a${this.claimed.length}` };
        this.claimed.push(claim.id);
        assert.deepEqual(this.#claim(claim), model.claim(claim));
        break;
      }
      case 'end': {
        const id = idOf(operation.which);
        const outcome = operation.outcome as 'completed';
        assert.equal(lane.end(id, outcome), model.end(id, outcome));
        break;
      }
      case 'cancel': {
        const id = idOf(operation.which);
        assert.equal(
          lane.cancel({ id }),
          model.cancel((item) => item.id === id),
        );
        break;
      }
      case 'cancel kind': {
        const { kind, waiting } = operation;
        assert.equal(
          lane.cancel({ kinds: [kind], waiting: waiting ?? undefined }),
          model.cancel((item) => item.kind === kind && (waiting !== false || item.phase !== 'waiting')),
        );
        break;
      }
      case 'rank': {
        const id = idOf(operation.which);
        assert.equal(lane.setPriority(id, operation.priority), model.setPriority(id, operation.priority));
        break;
      }
      case 'answer': {
        const [promised] = this.#promised.splice(operation.which % Math.max(1, this.#promised.length), 1);
        if (promised === undefined) return;
        if (operation.well) promised.promise.resolve();
        else promised.promise.reject(new Error('badly'));
        model.answer(promised.call, promised.id, operation.well);
        break;
      }
      case 'wait':
        // By the millisecond, as promises and places follow one another in the lane.
        for (let ms = 0; ms < operation.ms; ms++) {
          this.clock.advance(1);
          model.now++;
          model.turn();
        }
        break;
      case 'hold':
        lane.hold();
        model.held = true;
        break;
      case 'release':
        lane.release();
        Object.assign(model, { held: false, draining: false });
        model.turn();
        break;
      case 'lock':
        lane.lock();
        model.lock();
        break;
      case 'unlock':
        lane.unlock();
        model.locked = false;
        model.turn();
        break;
      case 'drain': {
        const drain = { resolved: false };
        this.#drains.push(drain);
        void lane.drain().then(() => {
          drain.resolved = true;
        });
        model.draining = true;
      }
    }
  }

  #claim({ manners, ...claim }: ModelClaim): { id: string } | { refused: string } {
    const perform = (call: Call) => (activity: Activity) => {
      this.#calls.push(
        `${call} ${activity.id}${activity.preempts === undefined || call === 'pause' || call === 'cancel' ? '' : ` for ${activity.preempts}`}`,
      );
      if (manners[call] === 'throws') throw new Error('thrown');
      if (manners[call] === 'at once' || call === 'resume') return undefined;
      const promise = later();
      this.#promised.push({ call, id: activity.id, promise });
      return promise.promise;
    };
    const performer: Performer = {
      start: perform('start'),
      pause: perform('pause'),
      resume: perform('resume'),
      cancel: perform('cancel'),
    };
    try {
      return { id: this.lane.claim(claim, performer).id };
    } catch (error) {
      return { refused: String(Reflect.get(Object(error), 'code')) };
    }
  }

  #compare(): void {
    const { lane, model } = this;
    assert.deepEqual(idsOf(lane.running).sort(), model.holders.map(({ id }) => id).sort());
    assert.deepEqual(
      idsOf(lane.waiting()),
      model.waiting.map(({ id }) => id),
    );
    assert.deepEqual(
      idsOf(lane.paused()),
      model.paused.map(({ id }) => id),
    );
    for (const { id, phase, priority } of model.items) {
      const activity = lane.find(id);
      assert.deepEqual([activity?.phase, activity?.priority], [phase, priority]);
    }
    const ended = this.claimed.filter((id) => model.items.every((item) => item.id !== id));
    for (const id of ended) assert.equal(lane.find(id), undefined);
    const { waitingCount, pausedCount, completedCount } = lane;
    assert.deepEqual(
      [waitingCount, pausedCount, completedCount],
      [model.waiting.length, model.paused.length, model.completed],
    );
    if (model.items.length === 0) for (const drain of this.#drains) assert.equal(drain.resolved, true);
    this.#laws();
  }

  /** What holds whatever the model says. */
  #laws(): void {
    const { lane } = this;
    const { running } = lane;
    const candidates = [...lane.paused(), ...lane.waiting()];
    const deadlines = candidates.length + running.length > 0 ? 1 : 0;
    assert.ok(this.clock.pending <= deadlines, 'one timer at most, none for nobody');
    assert.ok(running.length <= this.#capacity, 'no more holders than places');
    if (lane.locked) assert.equal(candidates.length + running.length, 0);
    if (lane.held || lane.locked) return;
    if (candidates.length > 0) assert.equal(running.length, this.#capacity, 'no place is free while somebody waits');
    if (running.some(({ phase }) => phase === 'pausing')) return;
    const weakest = Math.max(
      ...running
        .filter(({ phase, interruptible }) => phase === 'running' && interruptible)
        .map(({ priority }) => PRIORITIES[priority]),
    );
    for (const paused of lane.paused()) assert.ok(PRIORITIES[paused.priority] >= weakest || weakest === -Infinity);
  }
}
