import { SkullError } from '../../model/errors.ts';

/** No patch of ours is deeper; a deeper one is an attack on the stack. */
const DEEPEST_PATCH = 16;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value as its JSON text would give it back. Throws SkullError `invalid` for what has no JSON text. */
export function jsonCopy(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new SkullError('invalid', 'The value cannot be written as JSON.', {
      issues: [{ path: '', message: 'cannot be written as JSON' }],
      cause,
    });
  }
}

/** Whether two JSON values say the same; the order of keys says nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

/**
 * RFC 7396: the target with the patch's keys set, and those that are null taken away. Neither is changed. A key
 * `__proto__` becomes a plain key of the result, for the schema to refuse.
 */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (!isObject(patch)) return patch;
  if (depth > DEEPEST_PATCH)
    throw new SkullError('invalid', 'The patch is nested too deeply.', {
      issues: [{ path: '', message: 'is nested too deeply' }],
    });
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value, depth + 1));
  }
  return Object.fromEntries(merged);
}

/** Freezes a JSON value and all that it holds. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
