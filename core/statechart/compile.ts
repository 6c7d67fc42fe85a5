import { type Issue, messageOf, SkullError } from '../model/errors.ts';
import { actionsOf, type Bench, type Context, expressionAt } from './actions.ts';
import {
  type DelayedDefinition,
  type EventTransitions,
  listOf,
  type StatechartDefinition,
  step,
  type TransitionDefinition,
} from './definition.ts';
import type { Expressions } from './expressions.ts';
import { type Act, Machine, moveOf, type Room, type Transition } from './machine.ts';
import { type Place, Tree } from './tree.ts';

/** What a machine tells whoever runs it, while a step goes on. */
export interface Host extends Bench {
  taken(): void;
  /** A state was entered; `delays` are its timers' milliseconds by index, undefined for never. */
  entered(place: Place, delays: readonly (number | undefined)[]): void;
  left(place: Place): void;
}

export interface Compiled {
  readonly machine: Machine;
  readonly tree: Tree;
}

const NO_DELAYS: readonly never[] = [];

class Compiler {
  readonly #tree: Tree;
  readonly #expressions: Expressions;
  readonly #host: Host;

  constructor(tree: Tree, expressions: Expressions, host: Host) {
    this.#tree = tree;
    this.#expressions = expressions;
    this.#host = host;
  }

  /** A list of actions, and what follows them. */
  act(actions: TransitionDefinition['actions'], path: string, then?: (context: Context) => void): Act {
    const host = this.#host;
    const list = actionsOf(this.#expressions, actions, path);
    return (context) => {
      const next = list === undefined ? context : list(host, context);
      then?.(next);
      return next;
    };
  }

  #guard(source: string, path: string): Transition['holds'] {
    const host = this.#host;
    const guard = expressionAt(this.#expressions, source, path);
    return (context) => {
      try {
        return guard.test(host.scopeOf(context));
      } catch (error) {
        host.report({ path, message: messageOf(error) });
        return false;
      }
    };
  }

  #target(from: Place | undefined, name: string, path: string): Place {
    const target = this.#tree.resolve(from, name);
    if (target !== undefined) return target;
    const issue = { path, message: `there is no state ${JSON.stringify(name)}` };
    throw new SkullError('definition_invalid', `${issue.path}: ${issue.message}`, { issues: [issue] });
  }

  #transition(from: Place | undefined, definition: TransitionDefinition, pointer: string): Transition {
    const { actions, guard, target, reenter = false } = definition;
    return {
      pointer,
      holds: guard === undefined ? () => true : this.#guard(guard, `${pointer}/guard`),
      act: this.act(actions, `${pointer}/actions`, () => this.#host.taken()),
      move:
        target === undefined
          ? undefined
          : moveOf(this.#tree, from, this.#target(from, target, `${pointer}/target`), reenter),
    };
  }

  on(from: Place | undefined, transitions: EventTransitions = {}, path: string): Map<string, Transition[]> {
    return new Map(
      Object.entries(transitions).map(([name, some]) => {
        const at = path + step(name);
        const pointer = (index: number) => (Array.isArray(some) ? at + step(index) : at);
        return [name, listOf(some).map((one, index) => this.#transition(from, one, pointer(index)))];
      }),
    );
  }

  #delay({ pointer }: Place, { delay }: DelayedDefinition, index: number): (context: Context) => number | undefined {
    const path = `${pointer}/after/${index}/delay`;
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

  room(place: Place): Room {
    const { definition, pointer } = place;
    const { entry, exit, on, after = [], always = [] } = definition;
    const host = this.#host;
    const delays = after.map((delayed, index) => this.#delay(place, delayed, index));
    const several = (some: readonly TransitionDefinition[], path: string) =>
      some.map((one, index) => this.#transition(place, one, `${path}/${index}`));
    return {
      enter: this.act(entry, `${pointer}/entry`, (context) =>
        host.entered(place, delays.length === 0 ? NO_DELAYS : delays.map((delay) => delay(context))),
      ),
      leave: this.act(exit, `${pointer}/exit`, () => host.left(place)),
      on: this.on(place, on, `${pointer}/on`),
      after: several(after, `${pointer}/after`),
      always: several(always, `${pointer}/always`),
    };
  }
}

/**
 * Compiles a definition to a machine, which is pure but for what it tells the host. Throws a SkullError
 * `definition_invalid` that names the place.
 */
export function compile(definition: StatechartDefinition, expressions: Expressions, host: Host): Compiled {
  const tree = new Tree(definition);
  const compiler = new Compiler(tree, expressions, host);
  const initial = tree.initialOf(undefined);
  if (initial === undefined) {
    const issue: Issue = { path: '/initial', message: `there is no state ${JSON.stringify(definition.initial)}` };
    throw new SkullError('definition_invalid', `${issue.path}: ${issue.message}`, { issues: [issue] });
  }
  const machine = new Machine({
    tree,
    start: compiler.act(definition.entry, '/entry'),
    first: moveOf(tree, undefined, initial, false),
    on: compiler.on(undefined, definition.on, '/on'),
    rooms: new Map(tree.places.map((place) => [place, compiler.room(place)])),
  });
  return { tree, machine };
}
