import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf, SkullError } from '../core/model/errors.ts';

const isFolder = (place: string): boolean => statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Makes a folder and those above it. Node's own `recursive` never returns below what holds no folders, as /proc. */
export function makeFolder(folder: string): void {
  const parent = path.dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isFolder(folder)) throw error;
  }
}

/** Does what needs the folder that a variable names. Throws a SkullError that names both when it fails. */
export function using<T>(variable: string, folder: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new SkullError('conflict', `${variable}=${folder} cannot be used: ${messageOf(error)}.`, { cause: error });
  }
}
