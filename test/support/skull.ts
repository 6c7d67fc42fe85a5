import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Activity } from '../../core/scheduler/activity.ts';
import { Lane } from '../../core/scheduler/lane.ts';
import { obey, told } from '../../core/scheduler/messages.ts';
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

/** The skull's statechart and its lane on a simulated clock, with all that was commanded and every state it went through. */
export function skull({ restored = {}, config = structuredClone(DEFAULTS), delayed = false } = {}) {
  const { definition, issues } = skullDefinition();
  if (definition === undefined) throw new Error(JSON.stringify(issues));
  const clock = new SimulatedClock();
  const commands: Command[] = [];
  const states: string[] = [];
  const errors: unknown[] = [];
  const outcomes: string[] = [];
  const chart = new Statechart(definition, {
    clock,
    random: countingRandom([0, 0.3, 0.6]),
    config: () => config,
    restored,
    onError: (error) => errors.push(error),
  });
  /** Messages under way between the two, each way in order, where they are `delayed`. */
  const toChart: (() => void)[] = [];
  const toLane: (() => void)[] = [];
  const deliver = (wire: (() => void)[], message: () => void) => (delayed ? void wire.push(message) : message());
  const tell = (type: string) => (activity: Activity) => {
    const payload = told(activity);
    deliver(toChart, () => chart.send({ type, payload }));
  };
  const lane = new Lane({
    clock,
    random: countingRandom(),
    performer: {
      start: tell('activity/start'),
      pause: tell('activity/pause'),
      resume: tell('activity/resume'),
      cancel: tell('activity/cancel'),
    },
    onError: (error) => errors.push(error),
  });
  lane.onEvent(({ type, activity }) => {
    if (type === 'ended') outcomes.push(`${activity.kind} ${activity.outcome}`);
  });
  chart.onTransition((transition) => {
    if (transition.changed || transition.event === 'start') states.push(transition.to);
    for (const command of transition.commands) {
      commands.push(command);
      if (command.to === 'lane') deliver(toLane, () => void obey(lane, command));
    }
  });
  chart.start();
  return {
    chart,
    lane,
    clock,
    config,
    commands,
    states,
    errors,
    outcomes,
    toChart,
    toLane,
    send: (type: string, payload?: unknown) => chart.send({ type, payload }),
    /** What was published since the last call, as `topic payload`. */
    told: () =>
      commands
        .splice(0)
        .filter(({ to }) => to === undefined)
        .map(({ topic, payload }) => `${topic} ${typeof payload === 'string' ? payload : JSON.stringify(payload)}`),
    topics: () =>
      commands
        .splice(0)
        .filter(({ to }) => to === undefined)
        .map(({ topic }) => topic),
    /** What others inside were told since the last call, as `whom topic payload`. */
    inside: () =>
      commands
        .splice(0)
        .filter(({ to }) => to !== undefined)
        .map(({ to, topic, payload }) => `${to} ${topic} ${JSON.stringify(payload)}`),
  };
}
