import type * as TypeBox from 'typebox';

/**
 * TypeBox's builders as far as we use them, with TypeBox's types: what comes out is plain JSON Schema either way, but
 * TypeBox itself takes 60 ms and 24 MB to load, more than all else that the start needs of it.
 */
type Builders = Pick<
  typeof TypeBox.Type,
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Partial'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'
>;

export type { Static, TSchema } from 'typebox';

type Schema = Record<string, unknown>;

const optional = new WeakSet<object>();

const markOptional = (schema: Schema): Schema => {
  const copy = { ...schema };
  optional.add(copy);
  return copy;
};

function objectOf(properties: Record<string, Schema>, options: Schema = {}): Schema {
  const required = Object.keys(properties).filter((key) => !optional.has(properties[key] ?? {}));
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
}

const scalar =
  (type: string) =>
  (options: Schema = {}): Schema => ({ type, ...options });

const builders = {
  Array: (items: Schema, options: Schema = {}) => ({ type: 'array', items, ...options }),
  Boolean: scalar('boolean'),
  Enum: (values: readonly unknown[], options: Schema = {}) => ({ enum: values, ...options }),
  Integer: scalar('integer'),
  Literal: (value: unknown, options: Schema = {}) => ({ type: typeof value, const: value, ...options }),
  Null: scalar('null'),
  Number: scalar('number'),
  Object: objectOf,
  Optional: markOptional,
  Partial: ({ required: _, properties, ...rest }: Schema) => {
    const parts = Object.entries(properties as Record<string, Schema>);
    return { ...rest, properties: Object.fromEntries(parts.map(([key, schema]) => [key, markOptional(schema)])) };
  },
  Record: (key: Schema, value: Schema, options: Schema = {}) =>
    typeof key.pattern === 'string'
      ? { type: 'object', patternProperties: { [key.pattern]: value }, ...options }
      : { type: 'object', additionalProperties: value, ...options },
  String: scalar('string'),
  Union: (anyOf: readonly Schema[], options: Schema = {}) => ({ anyOf, ...options }),
  Unknown: (options: Schema = {}) => ({ ...options }),
  Unsafe: (schema: Schema) => ({ ...schema }),
};

export const Type = builders as unknown as Builders;
