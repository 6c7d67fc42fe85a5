import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

export const FOLDER_MODE = 0o750;
export const FILE_MODE = 0o640;
/** Folders cannot be synchronised on every file system; where they cannot, the rename alone must do. */
const NO_FOLDER_SYNC = new Set<unknown>(['EINVAL', 'EPERM', 'ENOTSUP', 'EISDIR']);

let temporaries = 0;

/** The code of a system error, as `ENOENT`; undefined for anything else. */
export const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

/** What `writeWhole` calls its temporary files. */
export const isTemporary = (file: string): boolean => /^\..+\.\d+-\d+\.tmp$/.test(file);

/**
 * Writes a file whole or not at all: a power cut leaves the old content or the new one. The folder is made when missing.
 * Rejects with the system's error, and then the old file is as it was.
 */
export async function writeWhole(file: string, content: string | Uint8Array, mode = FILE_MODE): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}-${++temporaries}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    // That the temporary file stays as well is the smaller trouble: the next start clears it.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** Makes what was renamed in a folder outlive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}
