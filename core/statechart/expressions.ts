import {
  type ASTNode,
  TypeError as CelTypeError,
  Environment,
  EvaluationError,
  Optional,
  ParseError,
} from '@marcbachmann/cel-js';
import { messageOf } from '../model/errors.ts';
import type { Random } from '../model/ports.ts';

/** The variables that an expression sees. */
export interface Scope {
  /** The event's payload; `{}` where it has none. */
  readonly event: unknown;
  /** The event's name, `delay` or `start`; expressions read it as `type`. */
  readonly eventName: string;
  readonly config: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  readonly mode: unknown;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Expression {
  readonly source: string;
  /** `bool`, `int`, `double`, `string`, `list`, …, or `dyn` where only running it tells. */
  readonly type: string;
  /** Keys of `context` that it reads by name. */
  readonly contextKeys: readonly string[];
  /** A fresh plain JSON value; numbers are always JS numbers. Throws an Error whose message a person can read. */
  value(scope: Scope): unknown;
  /** Whether it holds. Throws where it is neither true nor false. */
  test(scope: Scope): boolean;
}

const ARITHMETIC: Record<string, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

/** CEL's own `type` is a constant and cannot be redeclared; an expression that reads it gets it bound to this one. */
const TYPE_VARIABLE = 'eventName';
const BIND = `cel.bind(type, ${TYPE_VARIABLE}, `;

function base(): Environment {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2000, maxDepth: 60 },
  });
  for (const name of ['event', 'config', 'context', 'mode']) environment.registerVariable(name, 'dyn');
  environment.registerVariable(TYPE_VARIABLE, 'string').registerVariable('now', 'double');
  // JSON numbers are doubles and CEL's literals are ints: CEL itself compares the two, but does not add them.
  for (const [operator, calculate] of Object.entries(ARITHMETIC)) {
    const mixed = (left: number | bigint, right: number | bigint) => calculate(Number(left), Number(right));
    environment.registerOperator(`double ${operator} int: double`, mixed);
    environment.registerOperator(`int ${operator} double: double`, mixed);
  }
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right);
  for (const [name, choose] of [
    ['min', Math.min],
    ['max', Math.max],
  ] as const) {
    for (const left of ['int', 'double']) {
      for (const right of ['int', 'double']) {
        environment.registerFunction(`${name}(${left}, ${right}): double`, (a: number | bigint, b: number | bigint) =>
          choose(Number(a), Number(b)),
        );
      }
    }
  }
  return environment;
}

let shared: Environment | undefined;

/** One of the list's values, never `previous` where there is another; null from an empty list. */
function draw(list: readonly unknown[], previous: unknown, random: Random): unknown {
  const others = list.filter((value) => value !== previous);
  const from = others.length > 0 ? others : list;
  return from[Math.min(from.length - 1, Math.floor(random.next() * from.length))] ?? null;
}

/** A plain copy with JS numbers instead of CEL's. */
export function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      if (!Number.isFinite(value)) throw new Error(`The result is not a finite number: ${value}`);
      return value;
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'object':
      break;
    default:
      throw new Error(`A ${typeof value} is not a JSON value`);
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Optional) return value.hasValue() ? plain(value.value()) : null;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Map || prototype === Object.prototype || prototype === null) {
    const copy: Record<string, unknown> = {};
    for (const [key, inner] of entries) {
      if (key !== '__proto__') copy[String(key)] = plain(inner);
    }
    return copy;
  }
  // CEL's uint.
  const inner: unknown = value.valueOf();
  if (typeof inner === 'bigint' || typeof inner === 'number') return plain(inner);
  throw new Error(`A ${value.constructor?.name ?? 'value'} is not a JSON value`);
}

function visit(node: ASTNode, see: (node: ASTNode) => void): void {
  see(node);
  const inside = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(inside);
    else if (typeof part === 'object' && part !== null && 'op' in part && 'args' in part) visit(part as ASTNode, see);
  };
  inside(node.args);
}

function readable(error: unknown, shift: number): Error {
  if (!(error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError)) {
    return new Error(messageOf(error));
  }
  const at = error.range === undefined ? '' : ` (at character ${Math.max(0, error.range.start - shift) + 1})`;
  return new Error(`${error.summary}${at}`);
}

/** Compiles CEL expressions whose own functions draw from the given random source. */
export class Expressions {
  readonly #environment: Environment;
  /** A definition says many things more than once. */
  readonly #compiled = new Map<string, Expression>();

  constructor(random: Random) {
    shared ??= base();
    this.#environment = shared.clone();
    this.#environment
      .registerFunction('newId(): string', () => random.id())
      .registerFunction('pick(list): dyn', (list: readonly unknown[]) => draw(list, undefined, random))
      .registerFunction('pick(list, dyn): dyn', (list: readonly unknown[], previous: unknown) =>
        draw(list, previous, random),
      );
  }

  /** Throws an Error that names what is wrong and the character where. */
  compile(source: string): Expression {
    let expression = this.#compiled.get(source);
    if (expression === undefined) {
      expression = this.#compile(source);
      this.#compiled.set(source, expression);
    }
    return expression;
  }

  #compile(source: string): Expression {
    let shift = 0;
    try {
      let parsed = this.#environment.parse(source);
      const contextKeys = new Set<string>();
      let readsType = false;
      visit(parsed.ast, (node) => {
        if (node.op === 'id' && node.args === 'type') readsType = true;
        if (node.op === '.' && node.args[0].op === 'id' && node.args[0].args === 'context') {
          contextKeys.add(node.args[1]);
        }
      });
      if (readsType) {
        shift = BIND.length;
        parsed = this.#environment.parse(`${BIND}${source}\n)`);
      }
      const { valid, type, error } = parsed.check();
      if (!valid) throw error;
      const run = (scope: Scope): unknown => {
        try {
          return parsed(scope);
        } catch (failure) {
          throw readable(failure, shift);
        }
      };
      return {
        source,
        type: type ?? 'dyn',
        contextKeys: [...contextKeys],
        value: (scope) => plain(run(scope)),
        test: (scope) => {
          const result = run(scope);
          if (typeof result !== 'boolean') throw new Error(`The result is neither true nor false: ${String(result)}`);
          return result;
        },
      };
    } catch (failure) {
      throw readable(failure, shift);
    }
  }
}
