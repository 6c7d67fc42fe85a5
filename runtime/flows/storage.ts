import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeWhole } from '../../adapters/files/write-whole.ts';
import { arrange } from './arrange.ts';
import { type FlowNode, readFlowFiles } from './files.ts';

/** Node-RED's library of flows and functions, as its own storage module keeps it. */
export interface Library {
  init(settings: object): Promise<void>;
  getLibraryEntry(type: string, name: string): Promise<unknown>;
  saveLibraryEntry(type: string, name: string, meta: object, body: string): Promise<void>;
}

export interface FlowStorageOptions {
  /** One JSON file per tab. */
  flowsDir: string;
  /** Where credentials, the editor's settings and its sessions are kept. */
  userDir: string;
  /** Loaded when the editor first asks for it. */
  loadLibrary: () => Library;
}

/** What Node-RED asks of a storage module; it looks for own properties. */
export interface FlowStorage {
  init(settings: object): Promise<void>;
  getFlows(): Promise<FlowNode[]>;
  saveFlows(flows: FlowNode[]): Promise<void>;
  getCredentials(): Promise<unknown>;
  saveCredentials(credentials: unknown): Promise<void>;
  getSettings(): Promise<unknown>;
  saveSettings(settings: unknown): Promise<void>;
  getSessions(): Promise<unknown>;
  saveSessions(sessions: unknown): Promise<void>;
  getLibraryEntry: Library['getLibraryEntry'];
  saveLibraryEntry: Library['saveLibraryEntry'];
}

const textOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A JSON document of Node-RED's own; `{}` while there is none. It may hold secrets, so only we may read it. */
function document(file: string): { load(): Promise<unknown>; save(value: unknown): Promise<void> } {
  let written: string | undefined;
  return {
    async load() {
      try {
        written = readFileSync(file, 'utf8');
      } catch {
        return {};
      }
      return JSON.parse(written);
    },
    async save(value) {
      const text = textOf(value);
      if (text === written) return;
      await writeWhole(file, text, 0o600);
      written = text;
    },
  };
}

async function saveFlows(folder: string, flows: FlowNode[]): Promise<void> {
  const files = readFlowFiles(folder);
  const before = new Map(files.map((file) => [file.name, file]));
  const after = arrange(files, flows);
  for (const [name, nodes] of after) {
    // A file whose content is as it was stays untouched, however it was laid out by hand.
    if (JSON.stringify(before.get(name)?.nodes) === JSON.stringify(nodes)) continue;
    await writeWhole(path.join(folder, name), textOf(nodes));
  }
  for (const name of before.keys()) if (!after.has(name)) await rm(path.join(folder, name));
  // The revision is taken of this very array: after a restart it must come out the same.
  flows.splice(0, flows.length, ...[...after.values()].flat());
}

/** A Node-RED storage module that keeps the flows as one pretty JSON file per tab. */
export function flowStorage({ flowsDir, userDir, loadLibrary }: FlowStorageOptions): FlowStorage {
  const credentials = document(path.join(userDir, 'credentials.json'));
  const settings = document(path.join(userDir, 'settings.json'));
  const sessions = document(path.join(userDir, 'sessions.json'));
  let nodeRedSettings: object = {};
  let library: Promise<Library> | undefined;
  const openLibrary = (): Promise<Library> => {
    library ??= (async () => {
      const loaded = loadLibrary();
      await loaded.init(nodeRedSettings);
      return loaded;
    })();
    return library;
  };
  return {
    init: async (given) => {
      nodeRedSettings = given;
    },
    getFlows: async () => readFlowFiles(flowsDir).flatMap((file) => file.nodes),
    saveFlows: (flows) => saveFlows(flowsDir, flows),
    getCredentials: credentials.load,
    saveCredentials: credentials.save,
    getSettings: settings.load,
    saveSettings: settings.save,
    getSessions: sessions.load,
    saveSessions: sessions.save,
    getLibraryEntry: async (type, name) => (await openLibrary()).getLibraryEntry(type, name),
    saveLibraryEntry: async (type, name, meta, body) => (await openLibrary()).saveLibraryEntry(type, name, meta, body),
  };
}
