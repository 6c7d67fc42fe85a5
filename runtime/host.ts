import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { PACKAGE_ROOT } from '../adapters/files/package-root.ts';
import { packPorts } from '../adapters/pack-ports.ts';
import { systemClock, systemRandom } from '../adapters/system.ts';
import { type FileLog, openLog } from '../adapters/telemetry/log.ts';
import { messageOf, SkullError } from '../core/model/errors.ts';
import type { BrokerLink, BrokerLinkOptions } from '../core/model/ports.ts';
import type { Environment } from './env.ts';
import { checkFlows, unknownType } from './flows/check.ts';
import { type FlowFile, readFlowFiles } from './flows/files.ts';
import { installFlows } from './flows/packaged.ts';
import { flowStorage } from './flows/storage.ts';
import type { NodeRed } from './node-red.ts';

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

/** Why a server cannot listen, with the variable that says where; other errors pass. */
function listenError(error: unknown, variable: string, host: string, port: number): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const at = `${bracketed(host)}:${port}`;
  if (code === 'EADDRINUSE') {
    return new SkullError('conflict', `${variable}=${port} is taken: something else listens on ${at}.`, {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new SkullError('conflict', `${variable}=${port} cannot be used: no listening on ${at} (${code}).`, {
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** What comes before there is anything to answer with. */
const notYet: RequestListener = (_req, res) => {
  res.writeHead(503, { 'Retry-After': '1' }).end();
};

/** The whole orchestrator in one process. It can be started and stopped once: Node-RED allows no more. */
export class Host {
  readonly #env: Environment;
  #answer: RequestListener = notYet;
  readonly #server: Server = createServer((req, res) => this.#answer(req, res));
  /** What has been started, to be ended in the opposite order. */
  readonly #endings: Array<() => Promise<void>> = [];
  #log: FileLog | undefined;
  #ready = false;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Undefined before the start. */
  get log(): FileLog | undefined {
    return this.#log;
  }

  /** Resolves when all runs and every door is open. Throws what a person should read when it cannot. */
  async start(): Promise<Addresses> {
    const env = this.#env;
    const log = this.#openLog();
    const notices = await installFlows(path.join(PACKAGE_ROOT, 'flows'), env.flowsDir);
    for (const msg of notices) log.warn({ kind: 'system', msg });
    const files = readFlowFiles(env.flowsDir);
    await this.#listen();
    const broker = await this.#startBroker(log);
    const { checkDefinition } = await import('../core/statechart/check.ts');
    checkFlows(env.flowsDir, files, (definition) => checkDefinition(definition).issues);
    await this.#startFlows(log, broker, files);
    broker.open();
    if (env.simulator) await this.#startSimulator(log, broker);
    this.#ready = true;
    const { port } = this.#server.address() as AddressInfo;
    const shown = env.host === '0.0.0.0' || env.host === '::' ? 'localhost' : bracketed(env.host);
    return { http: `http://${shown}:${port}`, mqtt: broker.url };
  }

  /** Ends what was started, the last first; resolves when all is closed and written. */
  async stop(): Promise<void> {
    this.#ready = false;
    while (this.#endings.length > 0) {
      try {
        await this.#endings.pop()?.();
      } catch (error) {
        this.#log?.error({ kind: 'system', msg: `Stopping: ${messageOf(error)}`, error });
      }
    }
  }

  #openLog(): FileLog {
    const { home, logLevel, apiKeys, mqttPassword } = this.#env;
    for (const folder of ['config', 'songs', 'data']) mkdirSync(path.join(home, folder), { recursive: true });
    const log = openLog({
      folder: path.join(home, 'logs'),
      level: logLevel,
      terminal: process.stdout,
      secrets: [...apiKeys.map(({ key }) => key), ...(mqttPassword === undefined ? [] : [mqttPassword])],
    });
    this.#log = log;
    this.#endings.push(() => log.close());
    return log;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#env;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, 'PORT', host, port)));
      server.listen(port, host, resolve);
    });
    this.#endings.push(async () => {
      server.closeAllConnections();
    });
  }

  async #startBroker(log: FileLog): Promise<Broker> {
    const { mqttUrl: url, mqttUsername: username, mqttPassword: password, mqttHost: host, mqttPort: port } = this.#env;
    if (url !== undefined) {
      const { connectMqtt } = await import('../adapters/broker/mqtt-link.ts');
      const connect = (options: BrokerLinkOptions) => connectMqtt({ ...options, url, username, password });
      return { url, connect, open: () => {}, close: async () => {} };
    }
    const { startEmbeddedBroker } = await import('../adapters/broker/embedded.ts');
    const embedded = await startEmbeddedBroker({ host, port, log }).catch((error: unknown) => {
      throw listenError(error, 'MQTT_PORT', host, port);
    });
    this.#endings.push(() => embedded.close());
    return {
      url: embedded.url,
      connect: (options) => embedded.link(options),
      open: () => embedded.open(),
      close: () => embedded.close(),
    };
  }

  async #startFlows(log: FileLog, broker: Broker, files: readonly FlowFile[]): Promise<void> {
    const env = this.#env;
    const [{ embedNodeRed, coreNodesDir, loadLibrary }, { nodeRedSettings }, { createHttpApp }] = await Promise.all([
      import('./node-red.ts'),
      import('../settings.ts'),
      import('./http/app.ts'),
    ]);
    const userDir = path.join(env.home, 'data/node-red');
    const settings = nodeRedSettings({
      env,
      ports: packPorts({ home: env.home, log, connect: broker.connect }),
      storage: flowStorage({ flowsDir: env.flowsDir, userDir, loadLibrary }),
      usedTypes: new Set(files.flatMap(({ nodes }) => nodes.map(({ type }) => type))),
      credentialSecret: prepareUserDir(userDir),
      coreNodesDir: coreNodesDir(),
    });
    const nodeRed = await embedNodeRed(settings, this.#server, env.editor);
    this.#answer = createHttpApp({
      env,
      log,
      redHttpNode: nodeRed.httpNode,
      ...(nodeRed.httpAdmin && { redHttpAdmin: nodeRed.httpAdmin }),
      isReady: () => this.#ready,
    });
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

  async #startSimulator(log: FileLog, broker: Broker): Promise<void> {
    const { startSimulator } = await import('../simulator/simulator.ts');
    const link = broker.connect({ url: broker.url, clientId: 'skull-simulator', log });
    const simulator = startSimulator({ link, log, clock: systemClock, random: systemRandom });
    this.#endings.push(async () => {
      await simulator.stop();
      await link.close();
    });
  }
}

/** Makes what Node-RED wants to find in its folder. Returns the secret that encrypts the credentials of nodes. */
function prepareUserDir(folder: string): string {
  const manifest = path.join(folder, 'package.json');
  const secret = path.join(folder, 'credential-secret');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "name": "skull-node-red", "private": true }\n');
  if (!existsSync(secret)) writeFileSync(secret, randomBytes(32).toString('hex'), { mode: 0o600, flush: true });
  return readFileSync(secret, 'utf8');
}
