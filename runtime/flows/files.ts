import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf, SkullError } from '../../core/model/errors.ts';

/** A node, tab, subflow or group as a flow file has it. */
export interface FlowNode {
  id: string;
  type: string;
  /** The tab or subflow that it is on; configuration nodes and tabs are on none. */
  z?: string;
  [property: string]: unknown;
}

/** One file of the flows folder: a tab or a subflow and what is on it, or `_global.json` with everything else. */
export interface FlowFile {
  name: string;
  text: string;
  nodes: FlowNode[];
}

export const GLOBAL_FILE = '_global.json';

/** The number a tab's file name begins with, which is the tab's place; others follow by name, the global file is last. */
export function numberOf(name: string): number {
  const digits = /^\d+/.exec(name);
  return digits === null ? Number.MAX_SAFE_INTEGER : Number(digits[0]);
}

export function byPlace(a: string, b: string): number {
  const last = Number(a === GLOBAL_FILE) - Number(b === GLOBAL_FILE);
  return last || numberOf(a) - numberOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

const isNode = (value: unknown): value is FlowNode =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  'type' in value &&
  typeof value.id === 'string' &&
  typeof value.type === 'string';

/** `file` is named in the SkullError `document_broken` that a broken text is answered with. */
function parseFlowFile(file: string, text: string): FlowNode[] {
  const broken = (what: string): SkullError => new SkullError('document_broken', `The flow file ${file} ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw broken(`is not JSON: ${messageOf(error)}`);
  }
  if (!Array.isArray(value)) throw broken('is not a list of nodes.');
  return value.map((node: unknown, at) => {
    if (!isNode(node)) throw broken(`is broken at /${at}: a node needs an "id" and a "type".`);
    return node;
  });
}

/** All flow files of the folder in the order of their tabs; the folder is made when missing. */
export function readFlowFiles(folder: string): FlowFile[] {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  return names.sort(byPlace).map((name) => {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    return { name, text, nodes: parseFlowFile(file, text) };
  });
}
