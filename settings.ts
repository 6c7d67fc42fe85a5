import path from 'node:path';
import { types } from 'node:util';
import { PACKAGE_ROOT } from './adapters/files/package-root.ts';
import type { Log, LogLevel, PackPorts } from './core/model/ports.ts';
import { excludedCoreNodes } from './runtime/core-nodes.ts';
import type { Environment } from './runtime/env.ts';
import type { FlowStorage } from './runtime/flows/storage.ts';
import { Buckets } from './runtime/http/buckets.ts';
import { isSame } from './runtime/secrets.ts';

export interface SettingsParts {
  env: Environment;
  ports: PackPorts;
  storage: FlowStorage;
  /** The types that the flows use. */
  usedTypes: ReadonlySet<string>;
  /** Encrypts the credentials of nodes on disk. */
  credentialSecret: string;
  /** The folder of the package `@node-red/nodes`. */
  coreNodesDir: string;
}

const LEVELS: ReadonlyArray<[number, LogLevel]> = [
  [20, 'error'],
  [30, 'warn'],
  [40, 'info'],
];

interface NodeRedLine {
  level: number;
  msg: unknown;
  type?: string;
  id?: string;
  name?: string;
}

/** Said at every start of a host whose nodes have no credentials. */
const NO_CREDENTIALS = 'Encrypted credentials not found';

/** What a function node throws is no Error of ours, but of the world that its code runs in. */
function errorOf(msg: unknown): Error | undefined {
  if (msg instanceof Error) return msg;
  if (!types.isNativeError(msg)) return undefined;
  const { name, message, stack } = msg;
  return Object.assign(new Error(message), { name, stack });
}

/** Node-RED's own lines in our log; what it tells of its daily course is for debugging, what a node tells is not. */
function logLine(log: Log, { level, msg, type, id, name }: NodeRedLine): void {
  const error = errorOf(msg);
  const text = error?.message ?? (typeof msg === 'string' ? msg.trim() : JSON.stringify(msg));
  const node = type === undefined ? {} : { node: name || id, type };
  const known = LEVELS.find(([limit]) => level <= limit)?.[1] ?? 'debug';
  const daily = (known === 'info' && type === undefined) || text === NO_CREDENTIALS;
  log[daily ? 'debug' : known]({ kind: 'system', msg: text, ...node, ...(error && { error }) });
}

interface EditorUser {
  username: string;
  permissions: '*';
}

/** Who may use the editor: whoever knows the password, or, where there is none, whoever has an admin's API key. */
function adminAuth({ editorPasswordHash, apiKeys }: Environment): object | undefined {
  const user: EditorUser = { username: 'admin', permissions: '*' };
  if (editorPasswordHash !== undefined) {
    return { type: 'credentials', users: [{ ...user, password: editorPasswordHash }] };
  }
  const keys = apiKeys.filter(({ role }) => role === 'admin').map(({ key }) => key);
  if (apiKeys.length === 0) return undefined;
  // Where somebody guesses, keys open the editor to nobody for a while: Node-RED does not tell whom they come from.
  const guesses = new Buckets({ burst: 10, perSecond: 10 / 60, now: () => performance.now() });
  const admit = (key: string, as: 'password' | 'token') => {
    if (guesses.wait(as) > 0) return null;
    if (keys.some((known) => isSame(known, key))) return user;
    guesses.take(as);
    return null;
  };
  return {
    type: 'credentials',
    users: async (name: string) => (name === user.username ? user : null),
    authenticate: async (name: string, password: string) =>
      name === user.username ? admit(password, 'password') : null,
    tokens: async (token: string) => admit(token, 'token'),
  };
}

/** What Node-RED is told: our flows, our nodes, our log, and nothing that calls home or installs. */
export function nodeRedSettings(parts: SettingsParts): Record<string, unknown> {
  const { env, ports, storage, usedTypes, credentialSecret, coreNodesDir } = parts;
  return {
    userDir: path.join(env.home, 'data/node-red'),
    flowFile: 'flows.json',
    storageModule: storage,
    credentialSecret,
    // Named as a folder of nodes, not as the core's, Node-RED need not search every package above it for nodes.
    coreNodesDir: false,
    nodesDir: [coreNodesDir, PACKAGE_ROOT],
    nodesExcludes: excludedCoreNodes(usedTypes, env.editor),
    httpNodeRoot: '/',
    httpAdminRoot: env.editor ? '/editor' : false,
    disableEditor: !env.editor,
    adminAuth: env.editor ? adminAuth(env) : undefined,
    runtimeSyncDelivery: true,
    externalModules: {
      autoInstall: false,
      palette: { allowInstall: false, allowUpload: false },
      modules: { allowInstall: false },
    },
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: false, ui: false },
    runtimeState: { enabled: false, ui: false },
    editorTheme: { tours: false, projects: { enabled: false }, page: { title: 'Skull' }, header: { title: 'Skull' } },
    logging: {
      skull: { level: env.logLevel, handler: () => (line: NodeRedLine) => logLine(ports.log, line) },
    },
    skullPorts: ports,
  };
}
