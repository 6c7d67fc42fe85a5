import { type Issue, messageOf } from '../model/errors.ts';
import { issuesOf } from '../model/schema.ts';
import type { TSchema } from '../model/type.ts';
import {
  AssignSchema,
  CommandSchema,
  DelayedSchema,
  LIMITS,
  RootSchema,
  type StatechartDefinition,
  StateSchema,
  step,
  TransitionSchema,
} from './definition.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Reads JSON text; a value that is not text is taken as read. */
function read(json: unknown, issues: Issue[]): unknown {
  if (typeof json !== 'string') return json;
  if (json.length > LIMITS.json) {
    issues.push({ path: '', message: `is too large: ${json.length} characters, at most ${LIMITS.json}` });
    return undefined;
  }
  try {
    return JSON.parse(json);
  } catch (error) {
    issues.push({ path: '', message: `is not JSON: ${messageOf(error)}` });
    return undefined;
  }
}

/** What no part of a definition may be, whatever it means: too deep, or a key that would change an object's prototype. */
function poison(json: unknown, issues: Issue[]): void {
  const waiting = [{ value: json, path: '', depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > LIMITS.jsonDepth) {
      issues.push({ path, message: `is nested too deeply: at most ${LIMITS.jsonDepth} levels of JSON` });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__') issues.push({ path: path + step(key), message: '__proto__ cannot be a name here' });
      waiting.push({ value: inner, path: path + step(key), depth: depth + 1 });
    }
  }
}

class Shape {
  readonly issues: Issue[] = [];
  #states = 0;
  #transitions = 0;

  /** Checks one object's own keys; true when it is worth looking inside. */
  #fits(schema: TSchema, value: unknown, path: string): value is Record<string, unknown> {
    for (const issue of issuesOf(schema, value)) this.#wrong(path + issue.path, issue.message);
    return isObject(value);
  }

  #wrong(path: string, message: string): void {
    this.issues.push({ path, message });
  }

  #each(list: unknown, path: string, look: (one: unknown, path: string) => void): void {
    for (const [index, one] of listOf(list).entries()) look(one, path + step(index));
  }

  #action = (action: unknown, path: string): void => {
    if (!isObject(action) || Object.hasOwn(action, 'assign') === Object.hasOwn(action, 'command')) {
      this.#wrong(path, 'must have either "assign" or "command"');
      return;
    }
    this.#fits('assign' in action ? AssignSchema : CommandSchema, action, path);
  };

  #transitionOf(schema: TSchema): (value: unknown, path: string) => void {
    return (value, path) => {
      this.#transitions += 1;
      if (this.#fits(schema, value, path)) this.#each(value.actions, `${path}/actions`, this.#action);
    };
  }

  readonly #transition = this.#transitionOf(TransitionSchema);
  readonly #delayed = this.#transitionOf(DelayedSchema);

  #on(on: unknown, path: string): void {
    if (!isObject(on)) return;
    for (const [name, some] of Object.entries(on)) {
      const at = path + step(name);
      if (name === '') this.#wrong(at, 'an event needs a name');
      if (Array.isArray(some)) this.#each(some, at, this.#transition);
      else this.#transition(some, at);
    }
  }

  #stateList(states: unknown, path: string, depth: number): void {
    if (!isObject(states)) return;
    if (depth > LIMITS.nesting) {
      this.#wrong(path, `is nested too deeply: at most ${LIMITS.nesting} levels of states`);
      return;
    }
    for (const [name, state] of Object.entries(states)) {
      const at = path + step(name);
      this.#states += 1;
      // A dot would read as a path; a # at the beginning marks an id in other statecharts.
      if (name === '' || name.length > 100 || name.includes('.') || name.startsWith('#')) {
        this.#wrong(at, 'a state needs a name of at most 100 characters, without a dot and without # at the beginning');
      }
      if (!this.#fits(StateSchema, state, at)) continue;
      this.#each(state.entry, `${at}/entry`, this.#action);
      this.#each(state.exit, `${at}/exit`, this.#action);
      this.#on(state.on, `${at}/on`);
      this.#each(state.after, `${at}/after`, this.#delayed);
      this.#each(state.always, `${at}/always`, this.#transition);
      this.#stateList(state.states, `${at}/states`, depth + 1);
    }
  }

  look(json: unknown): void {
    if (!this.#fits(RootSchema, json, '')) return;
    this.#each(json.entry, '/entry', this.#action);
    this.#on(json.on, '/on');
    this.#stateList(json.states, '/states', 1);
    if (this.#states > LIMITS.states) {
      this.#wrong('/states', `are too many: ${this.#states}, at most ${LIMITS.states}`);
    }
    if (this.#transitions > LIMITS.transitions) {
      this.#wrong('', `has too many transitions: ${this.#transitions}, at most ${LIMITS.transitions}`);
    }
  }
}

/**
 * Checks that a value (or its JSON text) has a definition's shape: known keys, right types, sane sizes. What it means is
 * another check.
 */
export function shapeOf(json: unknown): { definition?: StatechartDefinition; issues: Issue[] } {
  const issues: Issue[] = [];
  const value = read(json, issues);
  if (issues.length === 0) poison(value, issues);
  if (issues.length > 0) return { issues };
  const shape = new Shape();
  shape.look(value);
  return shape.issues.length > 0
    ? { issues: shape.issues }
    : { definition: value as StatechartDefinition, issues: shape.issues };
}
