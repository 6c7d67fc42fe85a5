import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Performer } from '../../../core/scheduler/activity.ts';
import { Lane } from '../../../core/scheduler/lane.ts';
import { SimulatedClock } from '../../support/clock.ts';
import type { Manner } from './model.ts';
import { type Operation, operations } from './operations.ts';
import { GRACE_MS, Pair } from './pair.ts';

const RUNS = { numRuns: 1000 };
const capacities = fc.integer({ min: 1, max: 3 });

describe('Lane: any sequence of operations', () => {
  for (const [what, manner] of [
    ['performers that answer at once', fc.constant<Manner>('at once')],
    ['performers of every manner', fc.constantFrom<Manner>('at once', 'later', 'later', 'throws')],
  ] as const) {
    it(`does as its model does, with ${what}`, async () => {
      await fc.assert(
        fc.asyncProperty(capacities, operations(manner), async (capacity, sequence) => {
          const pair = new Pair(capacity);
          for (const operation of sequence) await pair.do(operation);
          // Whoever is left goes on and ends, once.
          await pair.do({ do: 'unlock' });
          await pair.do({ do: 'release' });
          for (let n = 0; pair.model.items.length > 0; n++) {
            assert.ok(n < 1000, 'nobody is left behind');
            for (const { id } of pair.model.holders) {
              await pair.do({ do: 'end', which: pair.claimed.indexOf(id), outcome: 'completed' });
            }
            await pair.do({ do: 'wait', ms: GRACE_MS });
          }
          assert.equal(pair.clock.pending, 0);
        }),
        RUNS,
      );
    }).timeout(60_000);
  }

  it('lets claims go when their time is over, in that order', () => {
    const claims = fc.array(fc.record({ ttlMs: fc.integer({ min: 1, max: 1000 }), cancelled: fc.boolean() }), {
      maxLength: 100,
      size: 'max',
    });
    fc.assert(
      fc.property(claims, (claimed) => {
        const clock = new SimulatedClock(0);
        const lane = new Lane({ clock, random: { id: () => 'made' }, performer: { start: () => {} } });
        const expired: number[] = [];
        lane.hold();
        for (const [n, { ttlMs }] of claimed.entries()) {
          lane.claim({ id: `${n}`, kind: 'show', priority: 'LOW', ttlMs });
        }
        for (const [n, { cancelled }] of claimed.entries()) if (cancelled) lane.cancel({ id: `${n}` });
        lane.onEvent(() => void expired.push(clock.now()));
        clock.advance(1000);
        const left = claimed.filter(({ cancelled }) => !cancelled).map(({ ttlMs }) => ttlMs);
        assert.deepEqual(
          expired,
          left.sort((a, b) => a - b),
        );
      }),
    );
  });

  it('keeps its laws when performers and listeners call back', () => {
    const acts = operations(fc.constant<Manner>('at once'));
    fc.assert(
      fc.property(capacities, acts, acts, (capacity, sequence, reactions) => {
        const clock = new SimulatedClock(0);
        const ids: string[] = [];
        const holding = new Set<string>();
        const told = new Map<string, string>();
        let reaction = 0;
        const react = () => {
          // Each reaction happens once, so that reactions to reactions come to an end.
          const next = reactions[reaction++];
          if (next !== undefined) act(next);
        };
        const performer: Performer = {
          start: ({ id }) => {
            assert.ok(!lane.held && !lane.locked, 'nothing starts while held or locked');
            holding.add(id);
            assert.ok(holding.size <= capacity, 'no more holders than places');
            react();
          },
          resume: (activity) => performer.start(activity),
          pause: ({ id }) => {
            assert.ok(holding.delete(id), 'only what runs is paused');
            react();
          },
          cancel: ({ id }) => {
            holding.delete(id);
            react();
          },
        };
        const failures: unknown[] = [];
        const onError = (error: unknown) => void failures.push(error);
        const lane = new Lane({ clock, random: { id: () => 'made' }, performer, capacity, onError });
        const AFTER: Record<string, RegExp> = {
          waiting: /^$/,
          started: /^waiting$/,
          paused: /^(started|resumed)$/,
          resumed: /^paused$/,
          ended: /^(waiting|started|paused|resumed)$/,
        };
        lane.onEvent(({ type, activity: { id } }) => {
          assert.match(told.get(id) ?? '', AFTER[type] ?? /never/);
          told.set(id, type);
          react();
        });
        const end = (id: string) => {
          const { phase } = lane.find(id) ?? {};
          if (phase === 'running' || phase === 'pausing') holding.delete(id);
          lane.end(id);
        };
        const act = (operation: Operation): void => {
          const id = 'which' in operation ? (ids[operation.which % ids.length] ?? 'nobody') : '';
          switch (operation.do) {
            case 'claim': {
              const own = `a${ids.length}`;
              ids.push(own);
              const refused = lane.locked || lane.draining || operation.policy === 'reject';
              if (!refused) lane.claim({ ...operation, id: own });
              break;
            }
            case 'end':
            case 'answer':
              end(id);
              break;
            case 'cancel':
              lane.cancel({ id });
              break;
            case 'cancel kind':
              lane.cancel({ kinds: [operation.kind] });
              break;
            case 'rank':
              lane.setPriority(id, operation.priority);
              break;
            case 'wait':
              break;
            case 'drain':
              void lane.drain();
              break;
            default:
              lane[operation.do]();
          }
        };
        for (const operation of sequence) act(operation);
        reaction = reactions.length;
        lane.unlock();
        lane.release();
        for (let n = 0; lane.running.length > 0; n++) {
          assert.ok(n < 1000, 'nobody is left behind');
          for (const { id } of lane.running) end(id);
        }
        assert.equal(lane.waitingCount + lane.pausedCount + holding.size, 0);
        for (const [id, type] of told) assert.equal(type, 'ended', `${id} has ended`);
        assert.deepEqual(failures, []);
      }),
      { numRuns: 1000 },
    );
  }).timeout(60_000);
});
