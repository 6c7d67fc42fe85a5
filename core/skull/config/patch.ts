import type { TSchema } from '../../model/type.ts';

interface Parts {
  type?: string | string[];
  required?: string[];
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
}

const each = (schemas: Record<string, TSchema>) =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, orNull(patchSchema(schema))]));

/** What a JSON Merge Patch (RFC 7396) of values of a schema looks like: every key may be left out, or be null. */
export function patchSchema(schema: TSchema): TSchema {
  const { required: _, default: __, properties, patternProperties, ...rest }: TSchema & Parts = schema;
  return {
    ...rest,
    ...(properties && { properties: each(properties) }),
    ...(patternProperties && { patternProperties: each(patternProperties) }),
  };
}

function orNull(schema: TSchema): TSchema {
  const { type, enum: values, ...rest }: TSchema & Parts = schema;
  if (values !== undefined) return { ...rest, type: ['string', 'null'], enum: [...values, null] };
  if (type === undefined) return { anyOf: [schema, { type: 'null' }] };
  return { ...rest, type: [...new Set([type, 'null'].flat())] };
}
