import assert from 'node:assert/strict';
import type { Issue } from '../../../core/model/errors.ts';
import { checkDefinition } from '../../../core/statechart/check.ts';
import type { Snapshot, StatechartDefinition } from '../../../core/statechart/definition.ts';
import { Statechart, type TransitionRecord } from '../../../core/statechart/statechart.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { countingRandom } from '../../support/ports.ts';

export interface MachineOptions {
  config?: Record<string, unknown>;
  restored?: Record<string, unknown>;
  snapshot?: Snapshot;
  clock?: SimulatedClock;
  random?: readonly number[];
  started?: boolean;
}

/** A sound definition; its test fails here when it is not. */
export function sound(json: unknown): StatechartDefinition {
  const { definition, issues } = checkDefinition(json);
  assert.deepEqual(issues, []);
  assert.ok(definition);
  return definition;
}

/** A started statechart on a simulated clock, with all that it told. */
export function machine(json: object, options: MachineOptions = {}) {
  const { config = {}, clock = new SimulatedClock(), random = [0], started = true, ...rest } = options;
  const errors: Issue[] = [];
  const records: TransitionRecord[] = [];
  const chart = new Statechart(sound(json), {
    clock,
    random: countingRandom(random),
    config: () => config,
    onError: (issue) => errors.push(issue),
    ...rest,
  });
  chart.onTransition((record) => records.push(record));
  if (started) chart.start();
  return {
    chart,
    clock,
    config,
    errors,
    records,
    send: (type: string, payload?: unknown) => chart.send({ type, payload }),
    /** The commands since the last call, as `topic payload`. */
    told: () =>
      records
        .splice(0)
        .flatMap(({ commands }) => commands.map(({ topic, payload }) => `${topic} ${JSON.stringify(payload)}`)),
  };
}
