import { SkullError } from '../../core/model/errors.ts';
import { codeOf } from './write-whole.ts';

const FULL = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A system's error that says that nothing more can be stored as SkullError `storage_full`; anything else as it is. */
export function asStorageError(error: unknown): unknown {
  if (!FULL.has(codeOf(error))) return error;
  return new SkullError('storage_full', 'The disk has no room for this: delete songs, or make room otherwise.', {
    cause: error,
  });
}
