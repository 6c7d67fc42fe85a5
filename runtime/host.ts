import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { PACKAGE_ROOT } from '../adapters/files/package-root.ts';
import { packPorts } from '../adapters/pack-ports.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import { openServiceManager } from '../adapters/systemd/open-manager.ts';
import type { FileLog } from '../adapters/telemetry/log.ts';
import { messageOf, SkullError } from '../core/model/errors.ts';
import type { EventLog } from '../core/model/event-log.ts';
import type { BrokerLink, BrokerLinkOptions } from '../core/model/ports.ts';
import { toProblem } from '../core/model/problem.ts';
import type { ServiceManager } from '../core/model/service-manager.ts';
import { pathOf } from '../core/skull/operations/pass.ts';
import type { Environment } from './env.ts';
import { openHostEvents } from './events.ts';
import { checkFlows, unknownType } from './flows/check.ts';
import { type FlowFile, readFlowFiles } from './flows/files.ts';
import { installFlows } from './flows/packaged.ts';
import { flowStorage } from './flows/storage.ts';
import { makeFolder, using } from './folders.ts';
import { createOriginRule } from './http/origins.ts';
import { sendProblem } from './http/problems.ts';
import { createHttpServer } from './http/server.ts';
import type { NodeRed } from './node-red.ts';
import { isSame } from './secrets.ts';
import { openHostLog, openHostMetrics } from './telemetry.ts';

/** The broker as the host sees it: how the nodes connect, and for the embedded one how it begins and ends. */
interface Broker {
  url: string;
  connect(options: BrokerLinkOptions): BrokerLink;
  /** Lets clients in. */
  open(): void;
  close(): Promise<void>;
}

export interface Addresses {
  http: string;
  mqtt: string;
}

/** So long may open HTTP answers take to end at a stop. */
const HTTP_GRACE_MS = 1000;

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

const NO_SUCH_HOST: readonly unknown[] = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'];

/** Why a server cannot listen, with the variable (`HOST` or `PORT` after its prefix) that says where; other errors pass. */
function listenError(error: unknown, prefix: string, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const at = `${bracketed(host)}:${port}`;
  if (code === 'EADDRINUSE') {
    return new SkullError('conflict', `${prefix}PORT=${port} is taken: something else listens on ${at}.`, {
      cause: error,
    });
  }
  const culprit = NO_SUCH_HOST.includes(code) ? `HOST=${host}` : code === 'EACCES' ? `PORT=${port}` : undefined;
  if (culprit !== undefined) {
    return new SkullError('conflict', `${prefix}${culprit} cannot be used: no listening on ${at} (${code}).`, {
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** What comes before there is anything to answer with. */
const notYet: RequestListener = (req, res) => {
  const error = new SkullError('unavailable', 'The orchestrator is starting: come again in a second.');
  sendProblem(res, toProblem(error, pathOf(req.url ?? ''), randomUUID()), req.method);
};

/** Whether a request is the editor's, for the WebSocket that tells it what happens. */
const isEditorSocket = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && pathOf(url) === '/editor/comms';

/** The whole orchestrator in one process. It can be started and stopped once: Node-RED allows no more. */
export class Host {
  readonly #env: Environment;
  #answer: RequestListener = notYet;
  readonly #server: Server;
  /** What has been started, to be ended in the opposite order. */
  readonly #endings: Array<() => Promise<void>> = [];
  #log: FileLog | undefined;
  #ready = false;
  readonly #stopping = new AbortController();

  constructor(env: Environment) {
    this.#env = env;
    const isAdmitted = createOriginRule(env);
    // No other WebSocket: what is upgraded goes round the guard and its keys.
    const mayUpgrade = (req: IncomingMessage) => env.editor && isEditorSocket(req) && isAdmitted(req);
    this.#server = createHttpServer((req, res) => this.#answer(req, res), mayUpgrade);
  }

  /** Undefined before the start. */
  get log(): FileLog | undefined {
    return this.#log;
  }

  /** Resolves when all runs and every door is open. Throws what a person should read when it cannot. */
  async start(): Promise<Addresses> {
    const env = this.#env;
    const log = await this.#openLog();
    using('FLOWS_DIR', env.flowsDir, () => makeFolder(env.flowsDir));
    const notices = await installFlows(path.join(PACKAGE_ROOT, 'flows'), env.flowsDir);
    for (const msg of notices) log.warn({ kind: 'system', msg });
    const files = readFlowFiles(env.flowsDir);
    await this.#listen();
    const events = await this.#openEvents(log);
    const broker = await this.#startBroker(log);
    const { checkDefinition } = await import('../core/statechart/check.ts');
    checkFlows(env.flowsDir, files, (definition) => checkDefinition(definition).issues);
    const services = await this.#openServiceManager(log);
    await this.#startFlows(log, broker, services, events, files);
    broker.open();
    if (env.simulator) await this.#startSimulator(log, broker, services);
    this.#ready = true;
    const { port } = this.#server.address() as AddressInfo;
    const shown = env.host === '0.0.0.0' || env.host === '::' ? 'localhost' : bracketed(env.host);
    return { http: `http://${shown}:${port}`, mqtt: broker.url };
  }

  /** Ends what was started, the last first; resolves when all is closed and written. */
  async stop(): Promise<void> {
    this.#ready = false;
    this.#stopping.abort();
    while (this.#endings.length > 0) {
      try {
        await this.#endings.pop()?.();
      } catch (error) {
        this.#log?.error({ kind: 'system', msg: `Stopping: ${messageOf(error)}`, error });
      }
    }
  }

  async #openLog(): Promise<FileLog> {
    const { home } = this.#env;
    using('SKULL_HOME', home, () => {
      for (const folder of ['config', 'songs', 'data']) makeFolder(path.join(home, folder));
    });
    const log = await openHostLog(this.#env);
    this.#log = log;
    this.#endings.push(() => log.close());
    return log;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#env;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, '', host, port)));
      server.listen(port, host, resolve);
    });
    this.#endings.push(async () => {
      server.closeAllConnections();
    });
  }

  async #openEvents(log: FileLog): Promise<EventLog> {
    const { events, close } = await openHostEvents(this.#env, log);
    this.#endings.push(close);
    return events;
  }

  async #startBroker(log: FileLog): Promise<Broker> {
    const { mqttUrl: url, mqttUsername: username, mqttPassword: password, mqttHost: host, mqttPort: port } = this.#env;
    if (url !== undefined) {
      const { connectMqtt } = await import('../adapters/broker/mqtt-link.ts');
      const connect = (options: BrokerLinkOptions) => connectMqtt({ ...options, url, username, password });
      return { url, connect, open: () => {}, close: async () => {} };
    }
    const { startEmbeddedBroker } = await import('../adapters/broker/embedded.ts');
    const login = username !== undefined && password !== undefined && { authenticate: loginCheck(username, password) };
    const embedded = await startEmbeddedBroker({ host, port, log, ...login }).catch((error: unknown) => {
      throw listenError(error, 'MQTT_', host, port);
    });
    this.#endings.push(() => embedded.close());
    return {
      url: embedded.url,
      connect: (options) => embedded.link(options),
      open: () => embedded.open(),
      close: () => embedded.close(),
    };
  }

  async #openServiceManager(log: FileLog): Promise<ServiceManager | undefined> {
    const { serviceManager: choice, simulator } = this.#env;
    const simulate = async () => new (await import('../simulator/manager.ts')).SimulatedManager(log);
    const manager = await openServiceManager({ choice, clock: systemClock, log, simulate, simulator });
    if (manager !== undefined) this.#endings.push(() => manager.close());
    return manager;
  }

  async #startFlows(
    log: FileLog,
    broker: Broker,
    services: ServiceManager | undefined,
    events: EventLog,
    files: readonly FlowFile[],
  ): Promise<void> {
    const env = this.#env;
    const [{ embedNodeRed, coreNodesDir, loadLibrary }, { nodeRedSettings }, { createHttpApp }, { EventStream }] =
      await Promise.all([
        import('./node-red.ts'),
        import('../settings.ts'),
        import('./http/app.ts'),
        import('./http/event-stream.ts'),
      ]);
    const userDir = path.join(env.home, 'data/node-red');
    const stopping = this.#stopping.signal;
    const metrics = await openHostMetrics(env);
    const ports = packPorts({ home: env.home, log, connect: broker.connect, services, stopping, metrics, events });
    this.#endings.push(() => ports.songs.close());
    const settings = nodeRedSettings({
      env,
      ports,
      storage: flowStorage({ flowsDir: env.flowsDir, userDir, loadLibrary }),
      usedTypes: new Set(files.flatMap(({ nodes }) => nodes.map(({ type }) => type))),
      credentialSecret: using('SKULL_HOME', env.home, () => prepareUserDir(userDir)),
      coreNodesDir: coreNodesDir(),
    });
    const nodeRed = await embedNodeRed(settings, this.#server, env.editor);
    const stream = new EventStream(ports);
    // An answer without an end would hold the server up.
    stopping.addEventListener('abort', () => stream.close());
    const answer = createHttpApp({
      env,
      log,
      stream: (req, res, pass) => stream.serve(req, res, pass),
      redHttpNode: nodeRed.httpNode,
      ...(nodeRed.httpAdmin && { redHttpAdmin: nodeRed.httpAdmin }),
      isReady: () => this.#ready,
    });
    this.#answer = metrics === undefined ? answer : (await import('./http/meter.ts')).metered(answer, stream, metrics);
    this.#endings.push(() => this.#stopFlows(nodeRed));
    await nodeRed.start().catch((error: unknown) => {
      const types = error instanceof SkullError ? error.issues.map((issue) => issue.path) : [];
      throw types.length > 0 ? unknownType(env.flowsDir, files, types) : error;
    });
  }

  /** No new requests, then no more flows; what a request waits for may still come from them. */
  async #stopFlows(nodeRed: NodeRed): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await nodeRed.stop();
    const grace = setTimeout(() => this.#server.closeAllConnections(), HTTP_GRACE_MS);
    this.#server.closeIdleConnections();
    await closed;
    clearTimeout(grace);
  }

  async #startSimulator(log: FileLog, broker: Broker, services: ServiceManager | undefined): Promise<void> {
    const [{ startSimulator }, { SimulatedManager }] = await Promise.all([
      import('../simulator/simulator.ts'),
      import('../simulator/manager.ts'),
    ]);
    const link = broker.connect({ url: broker.url, clientId: 'skull-simulator', log });
    const simulator = startSimulator({ link, log, clock: systemClock, random: systemRandom });
    const release = services instanceof SimulatedManager ? services.manage(simulator.services) : undefined;
    this.#endings.push(async () => {
      release?.();
      await simulator.stop();
      await link.close();
    });
  }
}

/** Both are compared in any case, so that the time taken does not say which one is wrong. */
function loginCheck(username: string, password: string) {
  return (name = '', word: Uint8Array = new Uint8Array()): boolean => {
    const isUser = isSame(username, name);
    return isSame(password, word) && isUser;
  };
}

/** Makes what Node-RED wants to find in its folder. Returns the secret that encrypts the credentials of nodes. */
function prepareUserDir(folder: string): string {
  const manifest = path.join(folder, 'package.json');
  const secret = path.join(folder, 'credential-secret');
  makeFolder(folder);
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "name": "skull-node-red", "private": true }\n');
  if (!existsSync(secret)) writeFileSync(secret, randomBytes(32).toString('hex'), { mode: 0o600, flush: true });
  return readFileSync(secret, 'utf8');
}
