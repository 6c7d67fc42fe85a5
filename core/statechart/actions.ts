import { type Issue, messageOf, SkullError } from '../model/errors.ts';
import type { ActionDefinition, CommandAction } from './definition.ts';
import { step } from './definition.ts';
import type { Expression, Expressions, Scope } from './expressions.ts';

export type Context = Readonly<Record<string, unknown>>;

/** Something that the statechart wants done. */
export interface Command {
  topic: string;
  /** JSON; an empty string where the definition gives none. */
  payload: unknown;
  /** One of the definition's outputs; absent: the outside. */
  to?: string;
  retain?: boolean;
  qos?: 0 | 1;
}

/** Where actions leave what they make, and the scope in which their expressions run. */
export interface Bench {
  /** The scope as expressions see it, with this context. */
  scopeOf(context: Context): Scope;
  emit(command: Command): void;
  report(issue: Issue): void;
}

/** Carries out a list of actions in order and returns the context after them. Never throws. */
export type ActionList = (bench: Bench, context: Context) => Context;

type One = (bench: Bench, context: Context) => Context;
type Template = (scope: Scope) => unknown;

/** Compiles the expression at a place, or throws a SkullError `definition_invalid` that names the place. */
export function expressionAt(expressions: Expressions, source: string, path: string): Expression {
  try {
    return expressions.compile(source);
  } catch (error) {
    const issue = { path, message: messageOf(error) };
    throw new SkullError('definition_invalid', `${issue.path}: ${issue.message}`, { issues: [issue], cause: error });
  }
}

/** The expression in a template's string, without its "="; undefined where the string is literal. */
export function sourceOf(text: string): string | undefined {
  return text.startsWith('=') ? text.slice(1) : undefined;
}

function templateOf(expressions: Expressions, value: unknown, path: string): Template {
  if (typeof value === 'string') {
    const source = sourceOf(value);
    return source === undefined ? () => value : expressionAt(expressions, source, path).value;
  }
  if (Array.isArray(value)) {
    const parts = value.map((inner, index) => templateOf(expressions, inner, path + step(index)));
    return (scope) => parts.map((part) => part(scope));
  }
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).map(
      ([key, inner]) => [key, templateOf(expressions, inner, path + step(key))] as const,
    );
    return (scope) => {
      const made: Record<string, unknown> = {};
      for (const [key, part] of parts) made[key] = part(scope);
      return made;
    };
  }
  return () => value;
}

function commandOf(expressions: Expressions, action: CommandAction, path: string): One {
  const topic = templateOf(expressions, action.command, `${path}/command`);
  const payload = templateOf(expressions, action.payload ?? '', `${path}/payload`);
  const { to, retain, qos } = action;
  return (bench, context) => {
    const scope = bench.scopeOf(context);
    const name = topic(scope);
    if (typeof name !== 'string' || name === '') {
      throw new Error(`The command's topic must be a text, not ${JSON.stringify(name)}`);
    }
    const command: Command = { topic: name, payload: payload(scope) };
    if (to !== undefined) command.to = to;
    if (retain !== undefined) command.retain = retain;
    if (qos !== undefined) command.qos = qos;
    bench.emit(command);
    return context;
  };
}

function assignOf(expressions: Expressions, assign: Record<string, string>, path: string): One {
  const parts = Object.entries(assign).map(
    ([key, source]) => [key, expressionAt(expressions, source, path + step(key))] as const,
  );
  return (bench, context) => {
    const scope = bench.scopeOf(context);
    const next: Record<string, unknown> = { ...context };
    for (const [key, expression] of parts) next[key] = expression.value(scope);
    return next;
  };
}

function actionOf(expressions: Expressions, action: ActionDefinition, path: string): One {
  const act =
    'assign' in action ? assignOf(expressions, action.assign, `${path}/assign`) : commandOf(expressions, action, path);
  const when = action.when === undefined ? undefined : expressionAt(expressions, action.when, `${path}/when`);
  return (bench, context) => {
    try {
      if (when !== undefined && !when.test(bench.scopeOf(context))) return context;
      return act(bench, context);
    } catch (error) {
      bench.report({ path, message: messageOf(error) });
      return context;
    }
  };
}

/** Compiles actions; undefined where there are none. An action that fails is skipped and reported; the others go on. */
export function actionsOf(
  expressions: Expressions,
  actions: readonly ActionDefinition[] = [],
  path: string,
): ActionList | undefined {
  const list = actions.map((action, index) => actionOf(expressions, action, path + step(index)));
  const [first] = list;
  if (list.length <= 1) return first;
  return (bench, context) => {
    let current = context;
    for (const act of list) current = act(bench, current);
    return current;
  };
}
