import type { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Express } from 'express';
import { SkullError } from '../core/model/errors.ts';
import type { Library } from './flows/storage.ts';

/** What we use of Node-RED's packages, which bring no types of their own. */
interface Util {
  init(settings: object): void;
  i18n: { registerMessageCatalog(namespace: string, folder: string, file: string): Promise<void> };
}
interface Runtime {
  init(settings: object, server: Server, editorApi?: EditorApi): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly events: EventEmitter;
  readonly httpNode: Express;
  readonly httpAdmin: Express;
  readonly storage: object;
}
interface EditorApi {
  init(settings: object, server: Server, storage: object, runtime: Runtime): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly httpAdmin: Express;
}

interface RuntimeEvent {
  id: string;
  payload?: { error?: string; types?: string[] };
}

export interface NodeRed {
  /** Serves the `http in` nodes. */
  readonly httpNode: Express;
  /** Serves the editor and its API, below `/editor`; undefined without editor. */
  readonly httpAdmin: Express | undefined;
  /** Resolves once the flows run. Throws a SkullError that names node types that nothing provides. */
  start(): Promise<void>;
  /** Resolves once every node has closed. */
  stop(): Promise<void>;
}

const require = createRequire(createRequire(import.meta.url).resolve('node-red'));

/** The folder of the package that holds Node-RED's own nodes. */
export const coreNodesDir = (): string => path.dirname(require.resolve('@node-red/nodes/package.json'));

export const loadLibrary = (): Library => require('@node-red/runtime/lib/storage/localfilesystem/library');

function whyNotStarted({ error, types = [] }: NonNullable<RuntimeEvent['payload']>): SkullError {
  if (error !== 'missing-types') {
    return new SkullError('document_broken', `Node-RED does not start the flows (${error}); the log has the reason.`);
  }
  const issues = types.map((type) => ({ path: type, message: 'is a type of node that no installed package brings' }));
  return new SkullError('document_broken', `Unknown types of nodes: ${types.join(', ')}.`, { issues });
}

function flowsStarted(events: EventEmitter): Promise<void> {
  return new Promise((resolve, reject) => {
    events.once('flows:started', () => resolve());
    events.on('runtime-event', ({ id, payload }: RuntimeEvent) => {
      // Credentials that cannot be decrypted are reported the same way, but the flows do start.
      const fatal = id === 'runtime-state' && payload?.error && payload.error !== 'credentials_load_failed';
      if (fatal) reject(whyNotStarted(payload));
    });
  });
}

/** Loads Node-RED with these settings; the editor's part only where it is wanted. Once in a process's life. */
export async function embedNodeRed(settings: object, server: Server, editor: boolean): Promise<NodeRed> {
  const util: Util = require('@node-red/util');
  const runtime: Runtime = require('@node-red/runtime');
  const editorApi: EditorApi | undefined = editor ? require('@node-red/editor-api') : undefined;
  util.init(settings);
  runtime.init(settings, server, editorApi);
  editorApi?.init(settings, server, runtime.storage, runtime);
  editorApi?.httpAdmin.use(runtime.httpAdmin);
  return {
    httpNode: runtime.httpNode,
    httpAdmin: editorApi?.httpAdmin,
    async start() {
      await util.i18n.registerMessageCatalog('node-red', path.join(coreNodesDir(), 'locales'), 'messages.json');
      const started = flowsStarted(runtime.events);
      await Promise.all([runtime.start().then(() => editorApi?.start()), started]);
    },
    async stop() {
      await runtime.stop();
      await editorApi?.stop();
    },
  };
}
