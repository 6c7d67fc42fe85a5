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

const TYPES: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
};

const counted = (count: unknown, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const eitherOf = (words: readonly string[]): string => words.join(' or ');
/** The schema's own words, as JSON but for plain words. */
const shown = (value: unknown): string => (typeof value === 'string' && value !== '' ? value : JSON.stringify(value));

/** What a value must be, by what its schema says under a keyword; undefined where the validator's own words will do. */
const MUST: Readonly<Record<string, (rule: unknown) => string>> = {
  type: (types) => `be ${eitherOf([types].flat().map((type) => TYPES[String(type)] ?? String(type)))}`,
  enum: (values) => `be one of ${[values].flat().map(shown).join(', ')}`,
  const: (value) => `be ${shown(value)}`,
  minimum: (least) => `be at least ${least}`,
  maximum: (most) => `be at most ${most}`,
  minLength: (length) => (length === 1 ? 'not be empty' : `have at least ${counted(length, 'character')}`),
  maxLength: (length) => `have at most ${counted(length, 'character')}`,
  minItems: (count) => `have at least ${counted(count, 'item')}`,
  maxItems: (count) => `have at most ${counted(count, 'item')}`,
  uniqueItems: () => 'not have the same item twice',
  minProperties: (count) => `have at least ${counted(count, 'key')}`,
  maxProperties: (count) => `have at most ${counted(count, 'key')}`,
  format: (format) => `be a ${format}`,
  pattern: (pattern) => (pattern === '\\S' ? 'not be blank' : `match the pattern ${pattern}`),
};

function issueOf({ keyword, instanceLocation, error, keywordLocation }: OutputUnit, schema: TSchema): Issue {
  const path = pointerOf(instanceLocation);
  if (keyword === 'false') return { path, message: 'is not a known key' };
  const missing = keyword === 'required' ? /"(.*)"/s.exec(error)?.[1] : undefined;
  if (missing !== undefined) return { path: `${path}/${missing}`, message: 'is missing' };
  const must = MUST[keyword]?.(at(schema, keywordLocation));
  return { path, message: must === undefined ? error.replace(/\.$/, '') : `must ${must}` };
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

const NOT_FINITE = 'must be a finite number';

/** The place of a number that JSON text can name, as 1e999, and JavaScript cannot hold; or that somebody has miscounted. */
function infiniteIn(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = infiniteIn(inner, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
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
    const infinite = infiniteIn(value);
    if (infinite !== undefined) return [{ path: infinite, message: NOT_FINITE }];
    const { valid, errors } = validator.validate(value);
    return valid ? [] : issuesIn(errors, schema);
  } catch {
    return [{ path: '', message: value === undefined ? 'is missing' : 'holds what JSON cannot' }];
  }
}

/** Throws SkullError `invalid` where a number in the value, which is no circle, is not finite. */
export function refuseInfinite(value: unknown, what: string): void {
  const path = infiniteIn(value);
  if (path === undefined) return;
  throw new SkullError('invalid', `${what} is invalid: ${path || 'it'} ${NOT_FINITE}.`, {
    issues: [{ path, message: NOT_FINITE }],
  });
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
