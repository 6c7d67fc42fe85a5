import { type AnyStateMachine, type AnyStateNodeConfig, assign, createMachine } from 'xstate';
import { type Issue, messageOf, SkullError } from '../model/errors.ts';
import { type ActionList, actionsOf, type Bench, type Context, expressionAt } from './actions.ts';
import {
  type DelayedDefinition,
  type EventTransitions,
  listOf,
  type StatechartDefinition,
  step,
  type TransitionDefinition,
} from './definition.ts';
import type { Expressions } from './expressions.ts';
import { type Place, Tree } from './tree.ts';

/** An event as the XState machine takes it: its type is made safe, its name is the one people know. */
export interface MachineEvent {
  type: string;
  name: string;
  payload: unknown;
}

/** What a running machine tells whoever runs it, while a step goes on. */
export interface Host extends Bench {
  /** The event that the coming expressions see. */
  see(event: Partial<MachineEvent>): void;
  taken(): void;
  /** A state was entered; `delays` are its timers' milliseconds by index, undefined for never. */
  entered(place: Place, delays: readonly (number | undefined)[]): void;
  left(place: Place): void;
}

export interface Compiled {
  readonly machine: AnyStateMachine;
  readonly tree: Tree;
  /** Innermost state → event name → type for the machine, for the events that it or a state around it has a transition for. */
  readonly accepts: ReadonlyMap<Place, ReadonlyMap<string, string>>;
}

/** A trailing character keeps XState from reading `*` and `a.*` as wildcards, the prefix from meeting `xstate.…` and ``. */
const eventType = (name: string) => `on:${name};`;

/** The machine's event for the timer with this index in a state's `after`. */
export const delayType = (place: Place, index: number) => `after:${place.id}:${index};`;

interface StepArgs {
  context: Context;
  event: Partial<MachineEvent>;
}

/** After this many transitions without an event the machine is taken to go round in circles. */
const MAX_STEPS = 100;
const NO_DELAYS: readonly never[] = [];

type XAction = ReturnType<typeof assign> | ((args: StepArgs) => void);
type XTransition = { target?: string; reenter?: boolean; guard?: (args: StepArgs) => boolean; actions: XAction };

class Compiler {
  readonly tree: Tree;
  readonly #expressions: Expressions;
  readonly #host: Host;

  constructor(tree: Tree, expressions: Expressions, host: Host) {
    this.tree = tree;
    this.#expressions = expressions;
    this.#host = host;
  }

  /** One XState action for a whole list, because each of XState's assigns copies the snapshot. */
  #action(list: ActionList | undefined, assigns: boolean, then: (context: Context) => void): XAction {
    const host = this.#host;
    const run = ({ context, event }: StepArgs): Context => {
      host.see(event);
      const next = list === undefined ? context : list(host, context);
      then(next);
      return next;
    };
    if (assigns) return assign((args) => run(args as StepArgs) as Record<string, unknown>);
    return (args: StepArgs) => {
      run(args);
    };
  }

  #list(actions: TransitionDefinition['actions'], path: string, then: (context: Context) => void): XAction {
    const assigns = actions?.some((action) => 'assign' in action) ?? false;
    return this.#action(actionsOf(this.#expressions, actions, path), assigns, then);
  }

  transition(from: Place | undefined, definition: TransitionDefinition, path: string): XTransition {
    const host = this.#host;
    const made: XTransition = { actions: this.#list(definition.actions, `${path}/actions`, () => host.taken()) };
    if (definition.target !== undefined) {
      const target = this.tree.resolve(from, definition.target);
      if (target === undefined) {
        const issue = { path: `${path}/target`, message: `there is no state ${JSON.stringify(definition.target)}` };
        throw new SkullError('definition_invalid', `${issue.path}: ${issue.message}`, { issues: [issue] });
      }
      made.target = `#${target.id}`;
      // A transition of the root enters its target anew anyway; with reenter XState would leave the root itself.
      if (definition.reenter === true && from !== undefined) made.reenter = true;
    }
    if (definition.guard !== undefined) {
      const at = `${path}/guard`;
      const guard = expressionAt(this.#expressions, definition.guard, at);
      made.guard = ({ context, event }) => {
        host.see(event);
        try {
          return guard.test(host.scopeOf(context));
        } catch (error) {
          host.report({ path: at, message: messageOf(error) });
          return false;
        }
      };
    }
    return made;
  }

  on(from: Place | undefined, transitions: EventTransitions = {}, path: string): Record<string, XTransition[]> {
    const made: Record<string, XTransition[]> = {};
    for (const [name, some] of Object.entries(transitions)) {
      const at = path + step(name);
      made[eventType(name)] = listOf(some).map((transition, index) =>
        this.transition(from, transition, Array.isArray(some) ? at + step(index) : at),
      );
    }
    return made;
  }

  #delay(place: Place, { delay }: DelayedDefinition, index: number): (context: Context) => number | undefined {
    const path = `${place.pointer}/after/${index}/delay`;
    const host = this.#host;
    const positive = (ms: unknown): number | undefined => {
      if (typeof ms === 'number') return ms > 0 ? ms : undefined;
      throw new Error(`A delay must be a number of milliseconds, not ${JSON.stringify(ms)}`);
    };
    if (typeof delay === 'number') return () => positive(delay);
    const expression = expressionAt(this.#expressions, delay, path);
    return (context) => {
      try {
        return positive(expression.value(host.scopeOf(context)));
      } catch (error) {
        host.report({ path, message: messageOf(error) });
        return undefined;
      }
    };
  }

  state(place: Place): AnyStateNodeConfig {
    const { definition, pointer } = place;
    const host = this.#host;
    const after = definition.after ?? [];
    const delays = after.map((delayed, index) => this.#delay(place, delayed, index));
    const on = this.on(place, definition.on, `${pointer}/on`);
    for (const [index, delayed] of after.entries()) {
      on[delayType(place, index)] = [this.transition(place, delayed, `${pointer}/after/${index}`)];
    }
    const needsExit = after.length > 0 || (definition.exit?.length ?? 0) > 0;
    const initial = this.tree.initialOf(place);
    return {
      id: place.id,
      entry: this.#list(definition.entry, `${pointer}/entry`, (context) =>
        host.entered(place, delays.length === 0 ? NO_DELAYS : delays.map((delay) => delay(context))),
      ),
      ...(needsExit && { exit: this.#list(definition.exit, `${pointer}/exit`, () => host.left(place)) }),
      on,
      always: (definition.always ?? []).map((transition, index) =>
        this.transition(place, transition, `${pointer}/always/${index}`),
      ),
      ...(initial && { initial: initial.name, states: this.states(place.children) }),
    } as AnyStateNodeConfig;
  }

  states(places: readonly Place[]): Record<string, AnyStateNodeConfig> {
    return Object.fromEntries(places.map((place) => [place.name, this.state(place)]));
  }

  start(definition: StatechartDefinition): XAction {
    return this.#list(definition.entry, '/entry', () => undefined);
  }
}

function acceptsOf(tree: Tree, definition: StatechartDefinition): Compiled['accepts'] {
  const accepts = new Map<Place, Map<string, string>>();
  for (const leaf of tree.places.filter((place) => place.children.length === 0)) {
    const types = new Map<string, string>();
    const add = (on: EventTransitions = {}) => {
      for (const name of Object.keys(on)) types.set(name, eventType(name));
    };
    for (let place: Place | undefined = leaf; place !== undefined; place = place.parent) add(place.definition.on);
    add(definition.on);
    accepts.set(leaf, types);
  }
  return accepts;
}

/**
 * Compiles a definition to an XState machine whose context is the definition's, overlaid by the machine's input. The
 * machine's transitions are pure but for what it tells the host. Throws a SkullError `definition_invalid` that names
 * the place.
 */
export function compile(definition: StatechartDefinition, expressions: Expressions, host: Host): Compiled {
  const tree = new Tree(definition);
  const compiler = new Compiler(tree, expressions, host);
  const initial = tree.initialOf(undefined);
  if (initial === undefined) {
    const issue: Issue = { path: '/initial', message: `there is no state ${JSON.stringify(definition.initial)}` };
    throw new SkullError('definition_invalid', `${issue.path}: ${issue.message}`, { issues: [issue] });
  }
  const machine: AnyStateMachine = createMachine({
    id: 'statechart',
    context: ({ input }: { input: Record<string, unknown> | undefined }) => ({ ...definition.context, ...input }),
    initial: initial.name,
    entry: compiler.start(definition),
    on: compiler.on(undefined, definition.on, '/on'),
    states: compiler.states(tree.roots),
    options: { maxIterations: MAX_STEPS },
  } as Parameters<typeof createMachine>[0]);
  return { machine, tree, accepts: acceptsOf(tree, definition) };
}
