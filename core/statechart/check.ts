import { type Issue, messageOf } from '../model/errors.ts';
import { sourceOf } from './actions.ts';
import { type ActionDefinition, isLike, LIMITS, type StatechartDefinition, step } from './definition.ts';
import { type Edge, edgesOf, unreachable } from './edges.ts';
import { type Expression, Expressions } from './expressions.ts';
import { shapeOf } from './shape.ts';
import { type Place, Tree } from './tree.ts';

export interface CheckResult {
  /** There only when nothing is wrong. */
  definition?: StatechartDefinition;
  /** What is wrong, each with its JSON Pointer. */
  issues: Issue[];
  /** What is odd, but works. */
  warnings: Issue[];
}

interface Wanted {
  types: readonly string[];
  text: string;
}

const CONDITION: Wanted = { types: ['bool'], text: 'true or false' };
const TEXT: Wanted = { types: ['string'], text: 'a text' };
const DELAY: Wanted = { types: ['int', 'double'], text: 'a number of milliseconds' };

/** Checks what a definition of the right shape means: names that exist, expressions that can run. */
class Meaning {
  readonly issues: Issue[] = [];
  readonly warnings: Issue[] = [];
  readonly #expressions = new Expressions({ id: () => '', next: () => 0 });
  readonly #definition: StatechartDefinition;
  readonly #tree: Tree;
  readonly #context: Record<string, unknown>;

  constructor(definition: StatechartDefinition) {
    this.#definition = definition;
    this.#tree = new Tree(definition);
    this.#context = definition.context ?? {};
  }

  #wrong(path: string, message: string): void {
    this.issues.push({ path, message });
  }

  #known(key: string, path: string): void {
    if (Object.hasOwn(this.#context, key)) return;
    this.warnings.push({ path, message: `"${key}" is not in the definition's context` });
  }

  #expression(source: string | undefined, path: string, wanted?: Wanted): void {
    if (source === undefined) return;
    if (source.length > LIMITS.expression) {
      this.#wrong(path, `is too long: ${source.length} characters, at most ${LIMITS.expression}`);
      return;
    }
    let expression: Expression;
    try {
      expression = this.#expressions.compile(source);
    } catch (error) {
      this.#wrong(path, messageOf(error));
      return;
    }
    if (wanted !== undefined && expression.type !== 'dyn' && !wanted.types.includes(expression.type)) {
      this.#wrong(path, `must be ${wanted.text}, but is of type ${expression.type}`);
    }
    for (const key of expression.contextKeys) this.#known(key, path);
  }

  #template(value: unknown, path: string, wanted?: Wanted): void {
    if (typeof value === 'string') this.#expression(sourceOf(value), path, wanted);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) this.#template(inner, path + step(key));
    }
  }

  #actions(actions: readonly ActionDefinition[] = [], path: string): void {
    for (const [index, action] of actions.entries()) {
      const at = path + step(index);
      this.#expression(action.when, `${at}/when`, CONDITION);
      if ('assign' in action) {
        for (const [key, source] of Object.entries(action.assign)) {
          this.#expression(source, `${at}/assign${step(key)}`);
          this.#known(key, `${at}/assign${step(key)}`);
        }
      } else {
        const { to } = action;
        if (to !== undefined && this.#definition.outputs?.includes(to) !== true) {
          this.#wrong(`${at}/to`, `${JSON.stringify(to)} is not one of the definition's outputs`);
        }
        this.#template(action.command, `${at}/command`, TEXT);
        this.#template(action.payload, `${at}/payload`);
      }
    }
  }

  #edge({ to, delay, definition, pointer }: Edge): void {
    if (definition.target !== undefined && to === undefined) {
      this.#wrong(`${pointer}/target`, `there is no state ${JSON.stringify(definition.target)}`);
    }
    if (typeof delay === 'string') this.#expression(delay, `${pointer}/delay`, DELAY);
    this.#expression(definition.guard, `${pointer}/guard`, CONDITION);
    this.#actions(definition.actions, `${pointer}/actions`);
  }

  #place(place: Place): void {
    const { initial, entry, exit } = place.definition;
    const { pointer, children } = place;
    if (children.length === 0 && initial !== undefined) {
      this.#wrong(`${pointer}/initial`, 'there are no states in it to begin in');
    }
    if (children.length > 0 && this.#tree.initialOf(place) === undefined) {
      const missing = initial === undefined ? 'is missing' : `there is no state ${JSON.stringify(initial)} in it`;
      this.#wrong(`${pointer}/initial`, missing);
    }
    this.#actions(entry, `${pointer}/entry`);
    this.#actions(exit, `${pointer}/exit`);
  }

  check(): void {
    const { initial, persist = [], unreadable = {}, entry } = this.#definition;
    if (this.#tree.initialOf(undefined) === undefined) {
      this.#wrong('/initial', `there is no state ${JSON.stringify(initial)}`);
    }
    for (const [index, key] of persist.entries()) {
      if (!Object.hasOwn(this.#context, key)) this.#wrong(`/persist/${index}`, `"${key}" is not in the context`);
    }
    for (const [key, value] of Object.entries(unreadable)) {
      const path = `/unreadable${step(key)}`;
      if (!persist.includes(key)) this.#wrong(path, `"${key}" does not persist`);
      else if (!isLike(this.#context[key], value)) this.#wrong(path, 'is of another type than in the context');
    }
    this.#actions(entry, '/entry');
    for (const place of this.#tree.places) this.#place(place);
    const edges = edgesOf(this.#definition, this.#tree);
    for (const edge of edges) this.#edge(edge);
    if (this.issues.length > 0) return;
    for (const { pointer } of unreachable(this.#tree, edges)) {
      this.warnings.push({ path: pointer, message: 'no transition leads to this state' });
    }
  }
}

/** Checks everything in a definition, given as a value or as JSON text. */
export function checkDefinition(json: unknown): CheckResult {
  const { definition, issues } = shapeOf(json);
  if (definition === undefined) return { issues, warnings: [] };
  const meaning = new Meaning(definition);
  meaning.check();
  const { warnings } = meaning;
  return meaning.issues.length > 0 ? { issues: meaning.issues, warnings } : { definition, issues: [], warnings };
}
