import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { type Issue, SkullError } from './errors.ts';
import { type Fits, fitsOf } from './fits.ts';
import type { Static, TSchema } from './type.ts';

export interface CheckOptions {
  /** Turns strings into numbers and booleans, for path and query parameters. */
  coerce?: boolean;
}

interface Checker {
  /** Says of most values that fit that they do; the validator costs twenty times as much. */
  fits: Fits;
  validator: Validator;
  /** Whether any part of the schema has a default to fill in. */
  fills: boolean;
}

/** Keywords whose errors only say that something further in is wrong. */
const WRAPPERS = new Set(['properties', 'patternProperties', 'additionalProperties', 'items', 'propertyNames']);
/** Keywords whose alternatives are of no interest when none fits. */
const ALTERNATIVES = new Set(['anyOf', 'oneOf', 'not']);

const checkers = new WeakMap<object, Checker>();

function checkerOf(schema: TSchema): Checker {
  let checker = checkers.get(schema);
  if (checker === undefined) {
    checker = {
      fits: fitsOf(schema),
      validator: new Validator(schema as Schema, '2020-12', false),
      fills: JSON.stringify(schema).includes('"default":'),
    };
    checkers.set(schema, checker);
  }
  return checker;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function propertiesOf(schema: unknown): [string, Record<string, unknown>][] {
  return isRecord(schema) && isRecord(schema.properties)
    ? (Object.entries(schema.properties) as [string, Record<string, unknown>][])
    : [];
}

function fillIn(schema: unknown, value: unknown): void {
  if (!isRecord(value)) return;
  for (const [name, part] of propertiesOf(schema)) {
    if (Object.hasOwn(value, name)) fillIn(part, value[name]);
    else if (part.default !== undefined) value[name] = structuredClone(part.default);
  }
}

function coerced(type: unknown, text: string): unknown {
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if ((type === 'number' || type === 'integer') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}

function coerceProperties(schema: unknown, value: unknown): void {
  if (!isRecord(value)) return;
  for (const [name, { type }] of propertiesOf(schema)) {
    const given = value[name];
    if (typeof given === 'string') value[name] = coerced(type, given);
  }
}

/** `#/a/b` is a URI fragment; our places are JSON Pointers. */
const pointerOf = (location: string): string => decodeURIComponent(location.slice(1));

/** What stands at a place of the schema. */
function at(schema: TSchema, location: string): unknown {
  const steps = location
    .split('/')
    .slice(1)
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.reduce<unknown>((part, step) => (part as Record<string, unknown> | undefined)?.[step], schema);
}

function issueOf({ keyword, instanceLocation, error, keywordLocation }: OutputUnit, schema: TSchema): Issue {
  const path = pointerOf(instanceLocation);
  if (keyword === 'false') return { path, message: 'is not a known key' };
  if (keyword === 'pattern') return { path, message: `does not match the pattern ${at(schema, keywordLocation)}` };
  const missing = keyword === 'required' ? /"(.*)"/s.exec(error)?.[1] : undefined;
  if (missing !== undefined) return { path: `${path}/${missing}`, message: 'is missing' };
  return { path, message: error.replace(/\.$/, '').replace(/^(Instance|String|Array|Object) /, '') };
}

function issuesIn(errors: readonly OutputUnit[], schema: TSchema): Issue[] {
  const alternatives = errors.filter(({ keyword }) => ALTERNATIVES.has(keyword));
  const inner = (place: string) => alternatives.some(({ keywordLocation }) => place.startsWith(`${keywordLocation}/`));
  return errors
    .filter(({ keyword, keywordLocation }) => !WRAPPERS.has(keyword) && !inner(keywordLocation))
    .map((error) => (ALTERNATIVES.has(error.keyword) ? noneFits(error, errors, schema) : issueOf(error, schema)));
}

/** What each alternative lacks, where they are about the value itself and not about its parts. */
function noneFits(error: OutputUnit, errors: readonly OutputUnit[], schema: TSchema): Issue {
  const { path, message } = issueOf(error, schema);
  const reasons = errors
    .filter(({ keywordLocation }) => keywordLocation.startsWith(`${error.keywordLocation}/`))
    .map((inner) => issueOf(inner, schema));
  if (reasons.length === 0 || reasons.some((reason) => reason.path !== path)) return { path, message };
  return { path, message: [...new Set(reasons.map((reason) => reason.message))].join(', or ') };
}

/**
 * Checks a value against a schema; missing keys with a default are filled in, in place. Returns what is wrong, nothing
 * when all is well. Schemas are walked, not compiled: a first check costs no more than the next one.
 */
export function issuesOf(schema: TSchema, value: unknown, { coerce = false }: CheckOptions = {}): Issue[] {
  const { fits, validator, fills } = checkerOf(schema);
  if (coerce) coerceProperties(schema, value);
  if (fills) fillIn(schema, value);
  if (fits(value)) return [];
  try {
    const { valid, errors } = validator.validate(value);
    return valid ? [] : issuesIn(errors, schema);
  } catch {
    return [{ path: '', message: value === undefined ? 'is missing' : 'holds what JSON cannot' }];
  }
}

/** The value as the schema's type, or a SkullError `invalid` that names each place. */
export function parse<T extends TSchema>(
  schema: T,
  value: unknown,
  { what = 'The value', ...rest }: CheckOptions & { what?: string } = {},
): Static<T> {
  const issues = issuesOf(schema, value, rest);
  const [first] = issues;
  if (first !== undefined) {
    throw new SkullError('invalid', `${what} is invalid: ${first.path || 'it'} ${first.message}.`, { issues });
  }
  return value as Static<T>;
}
