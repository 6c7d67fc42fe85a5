import type { TSchema } from './type.ts';

interface Parts {
  anyOf?: readonly TSchema[];
  properties?: Record<string, TSchema>;
  required?: readonly string[];
}

/** What somebody has to send for it to fit a schema, whose defaults are filled in: a key that has one may be left out. */
export function asked(schema: TSchema): TSchema {
  const { anyOf, properties, required = [] }: Parts = schema;
  if (anyOf !== undefined) return { ...schema, anyOf: anyOf.map(asked) };
  if (properties === undefined) return schema;
  const { required: _, ...rest }: TSchema & Parts = schema;
  const needed = required.filter((name) => !('default' in (properties[name] ?? {})));
  const parts = Object.entries(properties).map(([name, part]) => [name, asked(part)]);
  return { ...rest, ...(needed.length > 0 && { required: needed }), properties: Object.fromEntries(parts) };
}
