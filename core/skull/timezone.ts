import { TZDate } from '@date-fns/tz/date';
import { SkullError } from '../model/errors.ts';
import type { TSchema } from '../model/type.ts';

/** Of the names in use there are some 600, each in any case; those are remembered that were asked for. */
const MOST_NAMES = 100;
const known = new Map<string, string>();

/** A time zone by its IANA name, in the usual spelling. Throws `invalid` where there is none of this name. */
export function timezoneOf(name: string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    if (known.size >= MOST_NAMES) known.clear();
    known.set(name, timeZone);
    return timeZone;
  } catch (cause) {
    const message = 'is not the name of a time zone, as Europe/Paris';
    throw new SkullError('invalid', `X-Timezone is invalid: it ${message}.`, {
      issues: [{ path: 'X-Timezone', message }],
      cause,
    });
  }
}

interface Parts {
  format?: string;
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  additionalProperties?: TSchema | boolean;
  items?: TSchema;
  anyOf?: readonly TSchema[];
}

/**
 * A copy in which every string that the schema calls a `date-time` is written in this time zone, with its offset; the value
 * itself where the schema knows of none.
 */
export function inTimezone(value: unknown, schema: TSchema, timezone: string): unknown {
  const { format, properties, patternProperties, additionalProperties, items, anyOf }: Parts = schema;
  if (typeof value === 'string') {
    const isTime = format === 'date-time' || anyOf?.some((one: Parts) => one.format === 'date-time');
    return isTime ? new TZDate(value, timezone).toISOString() : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (anyOf !== undefined) return anyOf.reduce<unknown>((so, one) => inTimezone(so, one, timezone), value);
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => inTimezone(item, items, timezone));
  const others = Object.values(patternProperties ?? {})[0] ?? additionalProperties;
  const parts = Object.entries(value).map(([key, part]) => {
    const of = properties?.[key] ?? others;
    return [key, typeof of === 'object' ? inTimezone(part, of, timezone) : part];
  });
  return Object.fromEntries(parts);
}
