import { SkullError } from '../../model/errors.ts';
import { type Static, type TSchema, Type } from '../../model/type.ts';

/** How every list is asked for. */
export const PageQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'How many items at most.' }),
    cursor: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 300,
        description: 'Goes on where an earlier answer ended: its `next_cursor`.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item, { description: 'At most `limit` of them.' }),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Null at the end of the list.' }),
  });

/** One page of a whole list; the key of an item, unique in the list, and its place are its cursor. */
export function pageOf<T>(
  all: readonly T[],
  { limit, cursor }: Static<typeof PageQuery>,
  keyOf: (item: T) => string,
): { items: T[]; next_cursor: string | null } {
  const start = cursor === undefined ? 0 : placeAfter(cursor, all.map(keyOf));
  const end = start + limit;
  const items = all.slice(start, end);
  const last = items.at(-1);
  return { items, next_cursor: last === undefined || end >= all.length ? null : `${end - 1}.${keyOf(last)}` };
}

/** Behind the item that an earlier page ended with; where that is gone, what has moved to its place comes next. */
function placeAfter(cursor: string, keys: readonly string[]): number {
  const [, place, key = ''] = /^(\d{1,9})\.(.+)$/s.exec(cursor) ?? [];
  if (place === undefined) {
    throw new SkullError('invalid', 'The query is invalid: /cursor is not of this list.', {
      issues: [{ path: '/cursor', message: 'is not of this list' }],
    });
  }
  const found = keys.indexOf(key);
  return found === -1 ? Number(place) : found + 1;
}
