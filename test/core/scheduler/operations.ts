import fc from 'fast-check';
import type { Priority } from '../../../core/model/priority.ts';
import { POLICIES } from '../../../core/scheduler/activity.ts';
import type { Manner } from './model.ts';

const priorities = fc.constantFrom<Priority>('URGENT', 'HIGH', 'MEDIUM', 'LOW', 'BACKGROUND');
const kinds = fc.constantFrom('sing', 'say');
/** Which activity, of all that were ever claimed. */
const which = fc.nat(1000);
const often = <T>(usual: T, rare: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, rare);

const claims = (manner: fc.Arbitrary<Manner>) =>
  fc.record({
    do: fc.constant('claim' as const),
    kind: kinds,
    priority: priorities,
    interruptible: often(true, fc.boolean()),
    policy: often('interrupt' as const, fc.constantFrom(...POLICIES)),
    key: often<string | undefined>(undefined, fc.constantFrom('k', 'l')),
    ttlMs: often<number | undefined>(undefined, fc.integer({ min: 1, max: 60 })),
    manners: fc.record({ start: manner, pause: manner, resume: manner, cancel: manner }),
  });

const others = [
  fc.record({ do: fc.constant('end' as const), which, outcome: fc.constantFrom('completed', 'failed', 'cancelled') }),
  fc.record({ do: fc.constant('cancel' as const), which }),
  fc.record({ do: fc.constant('cancel kind' as const), kind: kinds, waiting: fc.option(fc.boolean()) }),
  fc.record({ do: fc.constant('rank' as const), which, priority: priorities }),
  fc.record({ do: fc.constant('answer' as const), which, well: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40 }) }),
  // Rather let go than held, or little would happen.
  fc
    .oneof(
      { weight: 4, arbitrary: fc.constantFrom('release' as const, 'unlock' as const) },
      { weight: 1, arbitrary: fc.constantFrom('hold' as const, 'lock' as const, 'drain' as const) },
    )
    .map((verb) => ({ do: verb })),
] as const;

/** Anything that may be asked of a lane, in any order. */
export const operations = (manner: fc.Arbitrary<Manner>) => {
  const claim = claims(manner);
  return fc.array(fc.oneof(claim, claim, claim, ...others), { maxLength: 60, size: 'max' });
};
export type Operation = ReturnType<typeof operations> extends fc.Arbitrary<(infer Each)[]> ? Each : never;
