import type { Random } from '../../core/model/ports.ts';
import { compile } from '../../core/statechart/compile.ts';
import type { StatechartDefinition } from '../../core/statechart/definition.ts';
import { edgesOf } from '../../core/statechart/edges.ts';
import { Expressions } from '../../core/statechart/expressions.ts';
import type { Situation } from '../../core/statechart/machine.ts';
import { Run } from '../../core/statechart/run.ts';

/** An event, or with `after` the end of the delay with this index in a state's `after`. */
export interface WalkEvent {
  name: string;
  payload?: unknown;
  after?: number;
}

export interface Step {
  from: Situation;
  event: WalkEvent;
  to: Situation;
  /** JSON Pointer of the transition that the event took; undefined where it took none. */
  taken: string | undefined;
}

export interface Walk {
  /** JSON Pointers of all transitions of the definition. */
  readonly transitions: readonly string[];
  /** Every step from every situation that these events lead to. Situations with the same key are one. */
  steps(events: (situation: Situation) => readonly WalkEvent[], keyOf: (situation: Situation) => string): Step[];
}

/** A definition as something to walk through: every transition can be taken, none has an effect. */
export function walkOf(
  definition: StatechartDefinition,
  { config, random, now = 0 }: { config: Record<string, unknown>; random: Random; now?: number },
): Walk {
  const run = new Run({ clock: { now: () => now }, config: () => config, report: () => undefined });
  const { machine, tree } = compile(definition, new Expressions(random), run);

  function take(from: Situation, event: WalkEvent): Step {
    const { name, payload, after } = event;
    run.begin(name, payload);
    const transitions = after === undefined ? (machine.on(from.leaf, name) ?? []) : machine.after(from.leaf, after);
    const taken = transitions.find(({ holds }) => holds(from.context))?.pointer;
    return { from, event, to: machine.step(from, transitions), taken };
  }

  const delaysIn = ({ leaf }: Situation): WalkEvent[] =>
    (leaf.definition.after ?? []).map((_, after) => ({ name: 'delay', after }));

  return {
    transitions: edgesOf(definition, tree).map(({ pointer }) => pointer),
    steps(events, keyOf) {
      run.begin('start');
      const steps: Step[] = [];
      const waiting = [machine.begin({ ...definition.context })];
      const seen = new Set(waiting.map(keyOf));
      for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
        for (const event of [...events(from), ...delaysIn(from)]) {
          const one = take(from, event);
          steps.push(one);
          const key = keyOf(one.to);
          if (seen.has(key)) continue;
          seen.add(key);
          waiting.push(one.to);
        }
      }
      return steps;
    },
  };
}
