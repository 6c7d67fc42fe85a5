import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../adapters/files/write-whole.ts';

/** Remembers which text of each packaged flow file the folder last received: file name → SHA-256. */
const MANIFEST = '.packaged';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function readTexts(folder: string): Map<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  return new Map(names.sort().map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

function readManifest(folder: string): Map<string, string> {
  const lines = readFileSync(path.join(folder, MANIFEST), 'utf8').trim().split('\n');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

const manifestText = (hashes: ReadonlyMap<string, string>): string =>
  [...hashes].map(([name, hash]) => `${hash}  ${name}\n`).join('');

/**
 * Brings the packaged flows to the user's folder: a new folder gets a copy of all; at an upgrade a file that the user
 * has not changed is replaced, and beside a changed (or removed) one the new one is put as `<file>.new`. A folder of
 * flows that did not come from us is left alone. Returns a line for each thing a person should know.
 */
export async function installFlows(packaged: string, folder: string): Promise<string[]> {
  if (path.resolve(packaged) === path.resolve(folder)) return [];
  mkdirSync(folder, { recursive: true });
  const present = readTexts(folder);
  const known = existsSync(path.join(folder, MANIFEST));
  if (!known && present.size > 0) return [];
  const received = known ? readManifest(folder) : new Map<string, string>();
  const offered = readTexts(packaged);
  const notices: string[] = [];
  for (const [name, text] of offered) {
    const hash = hashOf(text);
    const old = present.get(name);
    if (received.get(name) === hash || (old !== undefined && hashOf(old) === hash)) continue;
    if (!received.has(name) ? old === undefined : old !== undefined && hashOf(old) === received.get(name)) {
      await writeWhole(path.join(folder, name), text);
      if (known) notices.push(`The flow file ${name} was brought up to date.`);
    } else {
      await writeWhole(path.join(folder, `${name}.new`), text);
      notices.push(`The flow file ${name} was changed here; what this version brings is beside it as ${name}.new.`);
    }
  }
  for (const [name, hash] of received) {
    const old = present.get(name);
    if (offered.has(name) || old === undefined || hashOf(old) !== hash) continue;
    await rm(path.join(folder, name));
    notices.push(`The flow file ${name} is no longer part of this version and was removed.`);
  }
  const hashes = new Map([...offered].map(([name, text]) => [name, hashOf(text)]));
  const text = manifestText(hashes);
  if (text !== manifestText(received)) await writeWhole(path.join(folder, MANIFEST), text);
  return notices;
}

export interface FlowChanges {
  /** Files that came from us and were changed. */
  changed: string[];
  /** Files that came from us and were removed. */
  missing: string[];
  /** What was put beside a changed or removed file: `<file>.new`. */
  waiting: string[];
}

/** What a person has done to the packaged flows of this folder. */
export function flowChanges(folder: string): FlowChanges {
  const received = existsSync(path.join(folder, MANIFEST)) ? [...readManifest(folder)] : [];
  const present = readTexts(folder);
  const isChanged = ([name, hash]: [string, string]) => {
    const text = present.get(name);
    return text !== undefined && hashOf(text) !== hash;
  };
  return {
    changed: received.filter(isChanged).map(([name]) => name),
    missing: received.map(([name]) => name).filter((name) => !present.has(name)),
    waiting: readdirSync(folder).filter((name) => name.endsWith('.json.new')),
  };
}
