import fc from 'fast-check';
import type { ApiDocument, Documented, Json } from './document.ts';

/** Text of JSON that `JSON.stringify` does not write, by what stands for it until the text is made. */
const RAW = ['1e999', '-1e999', '-0', '1e-999', '9007199254740993', '0.1e1'];
const mark = (index: number): string => `\u0001raw ${index}\u0001`;

/** Strings that have been trouble somewhere. */
const ODD_STRINGS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a\udfff',
  '\uffff',
  '\u202e',
  'e\u0301',
  '💀',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '%2e%2e%2f',
  '/',
  '{}',
  'null',
  'true',
  '-1',
  '1e3',
  'NaN',
  'a'.repeat(201),
  'b'.repeat(3000),
];

export const oddString = fc.oneof(fc.constantFrom(...ODD_STRINGS), fc.string({ unit: 'binary', maxLength: 20 }));

const deep = (levels: number): unknown =>
  levels === 0 ? 1 : levels % 2 === 0 ? [deep(levels - 1)] : { a: deep(levels - 1) };

/** What nobody expects in this place. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  oddString,
  fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 0.5, 1e308, [], {}, [null], { length: 1 }, 'x'.repeat(20_001)),
  fc.nat(RAW.length - 1).map(mark),
  fc.integer({ min: 1, max: 60 }).map(deep),
  fc.jsonValue({ maxDepth: 3 }),
);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function stringOf({ minLength, maxLength, pattern }: Json): fc.Arbitrary<string> {
  const [min, max] = [numberOf(minLength, 0), Math.min(numberOf(maxLength, 40), 40)];
  if (typeof pattern !== 'string') return fc.string({ minLength: min, maxLength: max });
  return fc.stringMatching(new RegExp(pattern, 'u')).filter(({ length }) => length >= min && length <= max);
}

function objectOf(api: ApiDocument, schema: Json): fc.Arbitrary<unknown> {
  const { properties, required, patternProperties } = schema;
  const known = Object.entries(Object(properties)).map(([key, part]) => [key, valueFor(api, part)] as const);
  const needed = listOf(required).map(String);
  const own = fc.record(Object.fromEntries(known), { requiredKeys: needed, noNullPrototype: true });
  const [pattern] = Object.entries(Object(patternProperties));
  if (pattern === undefined) return own;
  const key = fc.stringMatching(new RegExp(pattern[0], 'u'));
  return fc.dictionary(key, valueFor(api, pattern[1]), { maxKeys: 4, noNullPrototype: true });
}

/** Values that fit a schema of the document, as far as its schemas go. */
export function valueFor(api: ApiDocument, given: unknown): fc.Arbitrary<unknown> {
  const schema = api.resolve(given);
  const { type, enum: values, const: constant, anyOf, minimum, maximum, items, examples } = schema;
  if (constant !== undefined) return fc.constant(constant);
  if (Array.isArray(values)) return fc.constantFrom<unknown>(...values);
  if (Array.isArray(anyOf)) {
    const { anyOf: _, ...rest } = schema;
    return fc.oneof(...anyOf.map((part) => valueFor(api, { ...rest, ...api.resolve(part) })));
  }
  if (Array.isArray(examples)) return fc.oneof(fc.constantFrom<unknown>(...examples), stringOf(schema));
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => valueFor(api, { ...schema, type: one })));
  const range = { min: numberOf(minimum, -1000), max: numberOf(maximum, 1000) };
  if (type === 'string') return stringOf(schema);
  if (type === 'integer') return fc.oneof(fc.constantFrom(range.min, range.max), fc.integer(range));
  if (type === 'number') return fc.oneof(fc.constantFrom(range.min, range.max), fc.double({ ...range, noNaN: true }));
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'array') {
    const { minItems, uniqueItems } = schema;
    const size = { minLength: numberOf(minItems, 0), maxLength: 5 };
    return uniqueItems === true ? fc.uniqueArray(valueFor(api, items), size) : fc.array(valueFor(api, items), size);
  }
  return type === 'object' ? objectOf(api, schema) : fc.jsonValue({ maxDepth: 2 });
}

/** The places in a value, itself among them. */
function placesIn(value: unknown, place: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [place];
  return [place, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...place, key]))];
}

/** A copy with something else in one place. */
function changed(value: unknown, [key, ...rest]: readonly string[], change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const entries = Object.entries(Object(value)).map(([name, inner]) => [
    name,
    name === key ? changed(inner, rest, change) : inner,
  ]);
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

const CHANGES: Readonly<Record<string, (old: unknown, odd: unknown, name: string) => unknown>> = {
  replaced: (_old, odd) => odd,
  'one more': (old) => (typeof old === 'number' ? old + 1 : old),
  'one less': (old) => (typeof old === 'number' ? old - 1 : old),
  longer: (old) => (typeof old === 'string' ? old.repeat(3000).slice(0, 20_001) : old),
  'a further key': (old, odd, name) =>
    isRecord(old) ? Object.fromEntries([...Object.entries(old), [name, odd]]) : odd,
  'a missing key': (old) => (isRecord(old) ? Object.fromEntries(Object.entries(old).slice(1)) : old),
};

/** A value that fits but for one place. */
export const nearMiss = (fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(fitting, fc.nat(), fc.constantFrom(...Object.keys(CHANGES)), oddValue, oddString)
    .map(([value, at, change, odd, name]) => {
      const places = placesIn(value);
      return changed(value, places[at % places.length] ?? [], (old) => CHANGES[change]?.(old, odd, name));
    });

/** A value as JSON text, with numbers in it that JavaScript would write in another way. */
export const textOf = (value: unknown): string =>
  (JSON.stringify(value) ?? '').replaceAll(/"\\u0001raw (\d+)\\u0001"/g, (_all, index) => RAW[index] ?? '0');

/** JSON text that is damaged, or is not what it seems. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(text, fc.nat()).map(([whole, at]) => whole.slice(0, at % (whole.length + 1))),
    text.map((whole) => whole.replace('{', '{"__proto__":{"active":false},')),
    text.map((whole) => whole.replace('{', '{"active":true,"active":false,"text":"a","text":7,')),
    text.map((whole) => `\ufeff${whole}`),
    text.map((whole) => `${whole}${whole}`),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom('', ' ', 'null', 'NaN', '[]', '"', '{'.repeat(5000), `${'['.repeat(5000)}${']'.repeat(5000)}`),
  );

/** Texts of JSON: such as fit, such as fit but for one place, and others. */
export function jsonText(api: ApiDocument, schema: unknown): fc.Arbitrary<string> {
  const fitting = valueFor(api, schema);
  const text = fitting.map(textOf);
  return fc.oneof(
    { weight: 3, arbitrary: text },
    { weight: 6, arbitrary: nearMiss(fitting).map(textOf) },
    { weight: 1, arbitrary: fc.jsonValue().map(textOf) },
    { weight: 2, arbitrary: damaged(text) },
  );
}

/** As a part of an address. Half of a pair of surrogates has no UTF-8, but a sender may well write its bytes. */
const encoded = (text: string): string =>
  encodeURIComponent(Buffer.from(text).toString()).replaceAll('%EF%BF%BD', '%ED%A0%80').replaceAll('.', '%2E');

const RAW_PARTS = [
  '%',
  '%2F',
  '%2e%2e%2fgaze',
  '%00',
  '%ff',
  '%zz',
  '..',
  '.',
  ';',
  '%E0%A4%A',
  'gaze;a=b',
  '%25',
  '+',
];

function pathOf(api: ApiDocument, { path, parameters }: Documented): fc.Arbitrary<string> {
  const parts = parameters
    .filter((parameter) => parameter.in === 'path')
    .map(({ name, schema }) => {
      const fitting = valueFor(api, schema).map(String);
      const part = fc.oneof(
        { weight: 6, arbitrary: fc.oneof(fitting, fc.constantFrom('gaze', 'jaw', 'voice', 'thriller')).map(encoded) },
        { weight: 1, arbitrary: oddString.map(encoded) },
        { weight: 1, arbitrary: fc.constantFrom(...RAW_PARTS) },
      );
      // An empty part is another address.
      return part.map((text) => [`{${name}}`, text === '' ? '%20' : text] as const);
    });
  return fc.tuple(...parts).map((all) => all.reduce((at, [name, text]) => at.replace(name, () => text), path));
}

const RAW_QUERIES = ['&', '?', 'limit', 'limit[]=1', 'limit[a]=1', '__proto__=1', '%=%', 'limit=+1', 'limit=1e2', 'a'];

function queryOf(api: ApiDocument, { parameters }: Documented): fc.Arbitrary<string> {
  const known = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, schema }) => {
      const value = fc.oneof(
        valueFor(api, schema).map(String),
        oddString,
        fc.integer({ min: -2, max: 600 }).map(String),
      );
      return value.map((text) => `${name}=${encoded(text)}`);
    });
  const odd = fc.oneof(
    fc.constantFrom(...RAW_QUERIES),
    oddString.map((text) => `nobody=${encoded(text)}`),
  );
  const some = known.length === 0 ? fc.constant<string[]>([]) : fc.array(fc.oneof(...known), { maxLength: 3 });
  return fc
    .oneof(
      { weight: known.length === 0 ? 8 : 4, arbitrary: some },
      { weight: 1, arbitrary: fc.tuple(some, odd).map(([parts, part]) => [...parts, part]) },
    )
    .map((parts) => (parts.length === 0 ? '' : `?${parts.join('&')}`));
}

/** Text that may stand in a header. */
const headerText = fc.oneof(
  fc.string({ maxLength: 30 }).map((text) => text.trim()),
  fc.constantFrom('', '\u00e9', '__proto__', 'a'.repeat(300), '"', ',', 'viewer, admin'),
);
const HEADERS = [
  'x-request-id',
  'x-role',
  'x-timezone',
  'accept',
  'last-event-id',
  'origin',
  'content-encoding',
  'range',
];
const GIVEN: Readonly<Record<string, string>> = {
  'x-role': 'viewer',
  'x-timezone': 'Europe/Paris',
  'last-event-id': '1',
  accept: 'text/html',
};

/** Seldom more than none. */
const headers: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.entries(GIVEN)).map(([name, text]) => ({ [name]: text })) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...HEADERS), headerText).map(([name, text]) => ({ [name]: text })) },
);

const TYPES = ['application/json', 'application/json; charset=utf-16', 'text/plain', '', 'application/json;', 'a/b/c'];

export interface FuzzedRequest {
  id: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** Requests for an operation, made of nothing but what the document says of it. */
export function requestsOf(api: ApiDocument, operation: Documented): fc.Arbitrary<FuzzedRequest> {
  const { id, method, body } = operation;
  const bodies = Object.entries(body?.content ?? {}).map(([type, { schema }]) =>
    fc.record({ type: fc.constant(type), text: type.includes('json') ? jsonText(api, schema) : formText }),
  );
  const other = fc.record({ type: fc.constantFrom(...TYPES), text: fc.constantFrom('{}', 'bonjour', '') });
  const none = fc.constant(undefined);
  const sent =
    bodies.length === 0
      ? fc.oneof({ weight: 12, arbitrary: none }, { weight: 1, arbitrary: other })
      : fc.oneof(
          { weight: 12, arbitrary: fc.oneof(...bodies) },
          { weight: 1, arbitrary: other },
          { weight: 1, arbitrary: none },
        );
  return fc
    .tuple(pathOf(api, operation), queryOf(api, operation), headers, sent)
    .map(([path, query, extra, content]) => ({
      id,
      method,
      path: path + query,
      headers: { ...(content && { 'content-type': content.type }), ...extra },
      ...(content && { body: content.text }),
    }));
}

export const BOUNDARY = 'a-boundary';
const part = fc.tuple(fc.constantFrom('file', 'file', 'nobody', ''), oddString, fc.string({ maxLength: 50 })).map(
  ([field, name, content]) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${Buffer.from(name)
      .toString()
      .replaceAll(/["\r\n]/g, '')}"\r\n\r\n${content}\r\n`,
);
/** Forms, none of which holds a song: what a real one does is shown elsewhere. */
const formText = fc.oneof(
  fc.array(part, { maxLength: 3 }).map((parts) => `${parts.join('')}--${BOUNDARY}--`),
  fc.array(part, { maxLength: 2 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 100 }),
);
