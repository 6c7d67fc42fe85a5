import type { AnyStateMachine } from 'xstate';
import type { Issue } from '../../core/model/errors.ts';
import type { Random } from '../../core/model/ports.ts';
import type { Command } from '../../core/statechart/actions.ts';
import { compile, delayType, type MachineEvent } from '../../core/statechart/compile.ts';
import type { StatechartDefinition } from '../../core/statechart/definition.ts';
import { edgesOf } from '../../core/statechart/edges.ts';
import { Expressions } from '../../core/statechart/expressions.ts';
import { Run } from '../../core/statechart/run.ts';

export interface Walk {
  /** A machine without timers and effects, for `xstate/graph`. Its snapshot's context is the statechart's. */
  readonly machine: AnyStateMachine;
  /** An event for the machine. */
  event(name: string, payload?: unknown): MachineEvent;
  /** The events that end the delays of each state, by the state's path. */
  readonly delays: ReadonlyMap<string, readonly MachineEvent[]>;
  /** The commands and the failures since the last call. */
  drain(): { commands: Command[]; issues: Issue[] };
}

/** A definition as something to walk through: every transition can be taken, none has an effect. */
export function walkOf(
  definition: StatechartDefinition,
  { config, random, now = 0 }: { config: Record<string, unknown>; random: Random; now?: number },
): Walk {
  let issues: Issue[] = [];
  const run = new Run({ clock: { now: () => now }, config: () => config, report: (issue) => issues.push(issue) });
  run.begin();
  const { machine, tree, accepts } = compile(definition, new Expressions(random), run);
  const types = new Map([...accepts.values()].flatMap((events) => [...events]));
  const delays = new Map<string, MachineEvent[]>();
  for (const { from, delay, pointer } of edgesOf(definition, tree)) {
    if (from === undefined || delay === undefined) continue;
    const index = Number(pointer.slice(pointer.lastIndexOf('/') + 1));
    const events = delays.get(from.path) ?? [];
    events.push({ type: delayType(from, index), name: 'delay', payload: undefined });
    delays.set(from.path, events);
  }
  return {
    machine,
    event: (name, payload) => ({ type: types.get(name) ?? name, name, payload }),
    delays,
    drain: () => {
      const { commands } = run;
      const drained = { commands, issues };
      issues = [];
      run.begin();
      return drained;
    },
  };
}
