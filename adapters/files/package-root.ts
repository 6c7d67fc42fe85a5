import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

function find(folder: string): string {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? folder : find(path.dirname(folder));
}

/** The folder that holds our package.json, whether we run from the sources or from what was built of them. */
export const PACKAGE_ROOT = find(import.meta.dirname);

/** Our version, as package.json has it. */
export const VERSION = String(
  (JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: unknown }).version,
);
