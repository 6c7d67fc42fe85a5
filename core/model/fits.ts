/** True: the value surely fits. False: it does not, or only a thorough check can tell. */
export type Fits = (value: unknown) => boolean;

type Keyword = (given: unknown, schema: Readonly<Record<string, unknown>>) => Fits | undefined;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isString = (value: unknown): value is string => typeof value === 'string';
/** Something that JSON can hold, and that holds nothing itself. */
const isPlain: Fits = (value) =>
  isNumber(value) ? Number.isFinite(value) : isString(value) || typeof value === 'boolean' || value === null;

const TYPES: Readonly<Record<string, Fits>> = {
  array: Array.isArray,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  null: (value) => value === null,
  number: isNumber,
  object: isRecord,
  string: isString,
};

/** What says nothing about which values fit. */
const annotation: Keyword = () => () => true;

const limit =
  (within: (value: number, given: number) => boolean): Keyword =>
  (given) =>
    isNumber(given) ? (value) => !isNumber(value) || within(value, given) : undefined;

const length =
  (within: (text: string, given: number) => boolean): Keyword =>
  (given) =>
    isNumber(given) ? (value) => !isString(value) || within(value, given) : undefined;

/** Each keyword as a check of its own; undefined for what it does not know. */
const KEYWORDS: Readonly<Record<string, Keyword>> = {
  title: annotation,
  description: annotation,
  default: annotation,
  type: (given) => (isString(given) ? TYPES[given] : undefined),
  // Objects among them are never the same one.
  enum: (given) => (Array.isArray(given) ? (value) => given.includes(value) : undefined),
  const: (given) => (value) => value === given,
  minimum: limit((value, given) => value >= given),
  maximum: limit((value, given) => value <= given),
  // Schemas count characters, of which one may take two places.
  minLength: length((text, given) => text.length >= (given > 1 ? 2 * given : given)),
  maxLength: length((text, given) => text.length <= given),
  pattern: (given) => {
    const pattern = new RegExp(String(given), 'u');
    return (value) => !isString(value) || pattern.test(value);
  },
  required: (given) =>
    Array.isArray(given) ? (value) => isRecord(value) && given.every((key) => Object.hasOwn(value, key)) : undefined,
  properties: (given, { additionalProperties }) => {
    if (!isRecord(given)) return undefined;
    const parts = Object.entries(given).map(([key, part]) => [key, fitsOf(part)] as const);
    const isKnown = (key: string) => Object.hasOwn(given, key);
    const fitsFurther: Fits = additionalProperties === false ? () => false : isPlain;
    return (value) =>
      isRecord(value) &&
      parts.every(([key, fits]) => !Object.hasOwn(value, key) || fits(value[key])) &&
      Object.keys(value).every((key) => isKnown(key) || fitsFurther(value[key]));
  },
  // Of what is not in `properties`, which sees to the rest.
  additionalProperties: (given, { properties }) =>
    typeof given === 'boolean' && isRecord(properties) ? () => true : undefined,
  items: (given) => {
    const fits = fitsOf(given);
    return (value) => Array.isArray(value) && value.every(fits);
  },
  anyOf: (given) => {
    const alternatives = Array.isArray(given) ? given.map(fitsOf) : [];
    return (value) => alternatives.some((fits) => fits(value));
  },
};

/** The keywords that see to what an object or an array holds: without any of them it has to be looked through. */
const INWARD = ['properties', 'items', 'anyOf'];

/** Compiles a schema to a quick check, which never finds fit what the schema refuses. */
export function fitsOf(schema: unknown): Fits {
  if (!isRecord(schema)) return () => false;
  const looksInside = INWARD.some((keyword) => keyword in schema);
  const checks: Fits[] = [(value) => (looksInside && typeof value === 'object') || isPlain(value)];
  for (const [keyword, given] of Object.entries(schema)) {
    const check = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword]?.(given, schema) : undefined;
    if (check === undefined) return () => false;
    checks.push(check);
  }
  return (value) => checks.every((check) => check(value));
}
