import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import { type Issue, SkullError } from './errors.ts';

const options = { allErrors: true, strict: true, useDefaults: true, allowUnionTypes: true } as const;
/** The unit of a number, for people and forms: `ms`, `degree`. */
const UNIT = 'x-unit';

interface Checker {
  ajv: Ajv2020;
  compiled: WeakMap<object, ValidateFunction>;
}

const checker = (ajv: Ajv2020): Checker => ({ ajv: ajv.addKeyword(UNIT), compiled: new WeakMap() });
const exact = checker(new Ajv2020(options));
const coercing = checker(new Ajv2020({ ...options, coerceTypes: true }));

export interface CheckOptions {
  /** Turns strings into numbers and booleans, for path and query parameters. */
  coerce?: boolean;
}

function issueOf(error: ErrorObject): Issue {
  const inner = error.params as { additionalProperty?: string; missingProperty?: string; allowedValues?: unknown[] };
  const leaf = inner.additionalProperty ?? inner.missingProperty;
  const path = leaf === undefined ? error.instancePath : `${error.instancePath}/${leaf}`;
  const allowed = inner.allowedValues === undefined ? '' : `: ${inner.allowedValues.join(', ')}`;
  const message =
    inner.additionalProperty !== undefined ? 'is not a known key' : `${error.message ?? 'is invalid'}${allowed}`;
  return { path, message };
}

/**
 * Checks a value against a schema; missing keys with a default are filled in, in place. Returns what is wrong, nothing
 * when all is well. The schema is compiled when first used.
 */
export function issuesOf(schema: TSchema, value: unknown, { coerce = false }: CheckOptions = {}): Issue[] {
  const { ajv, compiled } = coerce ? coercing : exact;
  let check = compiled.get(schema);
  if (check === undefined) {
    check = ajv.compile(schema);
    compiled.set(schema, check);
  }
  return check(value) ? [] : (check.errors ?? []).map(issueOf);
}

/** The value as the schema's type, or a SkullError `invalid` that names each place. */
export function parse<T extends TSchema>(
  schema: T,
  value: unknown,
  { what = 'The value', ...rest }: CheckOptions & { what?: string } = {},
): Static<T> {
  const issues = issuesOf(schema, value, rest);
  if (issues.length > 0) {
    const first = issues[0] as Issue;
    throw new SkullError('invalid', `${what} is invalid: ${first.path || 'it'} ${first.message}.`, { issues });
  }
  return value as Static<T>;
}
