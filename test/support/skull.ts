import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { checkDefinition } from '../../core/statechart/check.ts';
import { type Command, Statechart } from '../../core/statechart/statechart.ts';
import { SimulatedClock } from './clock.ts';
import { countingRandom } from './ports.ts';

/** The skull's definition, as the flow has it. */
export function skullDefinition() {
  const file = path.resolve(import.meta.dirname, '../../flows/010-skull.json');
  const nodes = JSON.parse(readFileSync(file, 'utf8')) as { type: string; definition?: unknown }[];
  const { definition, issues, warnings } = checkDefinition(nodes.find(({ type }) => type === 'skull-fsm')?.definition);
  return { definition, issues, warnings };
}

/** The skull's statechart on a simulated clock, with all that it commanded and every state it went through. */
export function skull({ restored = {}, config = structuredClone(DEFAULTS) } = {}) {
  const { definition, issues } = skullDefinition();
  if (definition === undefined) throw new Error(JSON.stringify(issues));
  const clock = new SimulatedClock();
  const commands: Command[] = [];
  const states: string[] = [];
  const errors: unknown[] = [];
  const chart = new Statechart(definition, {
    clock,
    random: countingRandom([0, 0.3, 0.6]),
    config: () => config,
    restored,
    onError: (error) => errors.push(error),
  });
  chart.onTransition((transition) => {
    commands.push(...transition.commands);
    if (transition.changed || transition.event === 'start') states.push(transition.to);
  });
  chart.start();
  return {
    chart,
    clock,
    config,
    commands,
    states,
    errors,
    send: (type: string, payload?: unknown) => chart.send({ type, payload }),
    /** The commands since the last call, as `topic payload`. */
    told: () =>
      commands
        .splice(0)
        .map(({ topic, payload }) => `${topic} ${typeof payload === 'string' ? payload : JSON.stringify(payload)}`),
    topics: () => commands.splice(0).map(({ topic }) => topic),
  };
}
