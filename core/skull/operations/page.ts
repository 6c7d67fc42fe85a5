import { SkullError } from '../../model/errors.ts';
import { type Static, type TSchema, Type } from '../../model/type.ts';

/** How every list is asked for. */
export const PageQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'How many items at most.' }),
    cursor: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Goes on where an earlier answer ended: its `next_cursor`.',
      }),
    ),
  },
  { additionalProperties: false },
);

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Null at the end of the list.' }),
  });

/** One page of a whole list; the key of an item, unique in the list, is its cursor. */
export function pageOf<T>(
  all: readonly T[],
  { limit, cursor }: Static<typeof PageQuery>,
  keyOf: (item: T) => string,
): { items: T[]; next_cursor: string | null } {
  const after = cursor === undefined ? -1 : all.findIndex((item) => keyOf(item) === cursor);
  if (cursor !== undefined && after === -1) {
    throw new SkullError('invalid', 'The query is invalid: /cursor is not of this list.', {
      issues: [{ path: '/cursor', message: 'is not of this list' }],
    });
  }
  const items = all.slice(after + 1, after + 1 + limit);
  const last = items.at(-1);
  const ended = last === undefined || after + 1 + limit >= all.length;
  return { items, next_cursor: ended ? null : keyOf(last) };
}
