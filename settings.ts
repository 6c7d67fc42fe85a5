import { timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import { PACKAGE_ROOT } from './adapters/files/package-root.ts';
import type { Log, LogLevel, PackPorts } from './core/model/ports.ts';
import { excludedCoreNodes } from './runtime/core-nodes.ts';
import type { Environment } from './runtime/env.ts';
import type { FlowStorage } from './runtime/flows/storage.ts';

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

/** Node-RED's own lines in our log; what it tells of its daily course is for debugging, what a node tells is not. */
function logLine(log: Log, { level, msg, type, id, name }: NodeRedLine): void {
  const text = msg instanceof Error ? msg.message : typeof msg === 'string' ? msg.trim() : JSON.stringify(msg);
  const node = type === undefined ? {} : { node: name || id, type };
  const error = msg instanceof Error ? { error: msg } : {};
  const known = LEVELS.find(([limit]) => level <= limit)?.[1] ?? 'debug';
  const daily = (known === 'info' && type === undefined) || text === NO_CREDENTIALS;
  log[daily ? 'debug' : known]({ kind: 'system', msg: text, ...node, ...error });
}

const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

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
  const admit = (key: string) => (keys.some((known) => sameText(known, key)) ? user : null);
  return {
    type: 'credentials',
    users: async (name: string) => (name === user.username ? user : null),
    authenticate: async (name: string, password: string) => (name === user.username ? admit(password) : null),
    tokens: async (token: string) => admit(token),
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
