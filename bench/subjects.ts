import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import path from 'node:path';
import { connect, STATE } from './support/client.ts';
import { deadline } from './support/numbers.ts';
import { freePort, nextMessage, ROOT, type Running, start, until, WORK } from './support/process.ts';

const NODE = process.execPath;
const BOOT_MS = 30_000;

export const API_KEY = 'bench-0123456789abcdef';

/** Where mosquitto is; undefined where it is not installed. */
export const MOSQUITTO = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => path.join(folder, 'mosquitto'))
  .find((file) => existsSync(file));

export interface Served extends Running {
  mqttUrl: string;
}

function folder(name: string): string {
  const made = path.join(WORK, name);
  mkdirSync(made, { recursive: true });
  return made;
}

/** Resolves once the port takes connections. */
async function listening(port: number): Promise<void> {
  const knock = () =>
    new Promise<true | undefined>((resolve) => {
      const socket = connectSocket(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(undefined));
      socket.once('connect', () => socket.destroy());
    });
  await until(knock, BOOT_MS, `Port ${port}`);
}

/** A mosquitto without Nagle's delay, without files, without a limit to what waits. */
export async function startMosquitto(): Promise<Served> {
  if (MOSQUITTO === undefined) throw new Error('mosquitto is not installed');
  const port = await freePort();
  const file = path.join(WORK, `mosquitto-${port}.conf`);
  const settings = ['allow_anonymous true', 'set_tcp_nodelay true', 'persistence false', 'max_queued_messages 0'];
  writeFileSync(file, `${[`listener ${port} 127.0.0.1`, ...settings].join('\n')}\n`);
  const running = start(MOSQUITTO, ['-c', file]);
  await listening(port);
  return { ...running, mqttUrl: `mqtt://127.0.0.1:${port}` };
}

export async function startEcho(mqttUrl: string): Promise<Running> {
  const echo = start(NODE, [path.join(ROOT, 'bench/floor/mqtt-echo.mjs'), mqttUrl], { ipc: true });
  await nextMessage(echo);
  return echo;
}

export async function startBareHttp(bytes: number): Promise<Running & { port: number }> {
  const server = start(NODE, [path.join(ROOT, 'bench/floor/http.mjs'), String(bytes)], { ipc: true });
  return { ...server, port: Number(await nextMessage(server)) };
}

/** As on a skull: no simulator, no editor. */
const QUIET = { ENV: 'production', SIMULATOR: 'false', EDITOR: 'false', SERVICE_MANAGER: 'none' };

export interface Product extends Served {
  httpUrl: string;
  /** Milliseconds from its start to the first retained state. */
  bootMs: number;
}

/** The product as it runs on a skull: no simulator, no editor; with a broker's URL on that broker. */
export async function startProduct(externalBroker?: string): Promise<Product> {
  const [port, mqttPort] = [await freePort(), await freePort()];
  const mqttUrl = externalBroker ?? `mqtt://127.0.0.1:${mqttPort}`;
  const env = {
    ...QUIET,
    PATH: `${path.dirname(NODE)}:${process.env.PATH}`,
    HOME: folder('home'),
    SKULL_HOME: folder(externalBroker === undefined ? 'skull-embedded' : 'skull-external'),
    HOST: '127.0.0.1',
    API_KEY,
    PORT: String(port),
    ...(externalBroker === undefined ? { MQTT_PORT: String(mqttPort) } : { MQTT_URL: externalBroker }),
  };
  const began = performance.now();
  const running = start(path.join(ROOT, 'dist/runtime/cli.js'), ['start'], { env });
  try {
    await listening(Number(new URL(mqttUrl).port));
    const client = await connect(mqttUrl, []);
    const stateSaid = new Promise<void>((resolve) => client.once('message', () => resolve()));
    client.subscribe(STATE);
    await deadline(stateSaid, BOOT_MS, 'The first state of the product');
    const bootMs = performance.now() - began;
    await client.endAsync(true);
    const httpUrl = `http://127.0.0.1:${port}`;
    await until(
      () =>
        fetch(`${httpUrl}/health`).then(
          () => true as const,
          () => undefined,
        ),
      BOOT_MS,
      'HTTP of the product',
    );
    return { ...running, mqttUrl, httpUrl, bootMs };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** The flows of the product with nothing in front of them, in a process that is told of its heap what the product is. */
export async function startUnguarded(): Promise<Running & { httpUrl: string }> {
  const home = folder('skull-unguarded');
  for (const name of ['config', 'data/node-red', 'songs']) mkdirSync(path.join(home, name), { recursive: true });
  writeFileSync(path.join(home, 'data/node-red/package.json'), '{ "name": "unguarded", "private": true }\n');
  const port = String(await freePort());
  const [head = ''] = readFileSync(path.join(ROOT, 'dist/runtime/cli.js'), 'utf8').split('\n');
  const flags = head.split(' ').filter((word) => word.startsWith('--'));
  const env = {
    ...QUIET,
    PATH: process.env.PATH,
    HOME: folder('home'),
    SKULL_HOME: home,
    FLOWS_DIR: path.join(ROOT, 'flows'),
    HOST: '127.0.0.1',
    PORT: port,
    MQTT_PORT: '0',
  };
  const running = start(NODE, [...flags, path.join(ROOT, 'bench/floor/unguarded.mjs')], { env, ipc: true });
  await nextMessage(running);
  return { ...running, httpUrl: `http://127.0.0.1:${port}` };
}

export interface NodeRed extends Running {
  /** Milliseconds from its start to “Started flows”. */
  bootMs: number;
}

/** Stock Node-RED in a home of its own, with these flows. */
async function startNodeRed(name: string, flows: readonly object[], settings: string): Promise<NodeRed> {
  const home = folder(name);
  const port = await freePort();
  const common = `flowFile: 'flows.json', uiPort: ${port}, uiHost: '127.0.0.1', telemetry: { enabled: false }`;
  writeFileSync(path.join(home, 'settings.js'), `module.exports = { ${common}, ${settings} };\n`);
  writeFileSync(path.join(home, 'flows.json'), JSON.stringify(flows));
  const began = performance.now();
  let output = '';
  let announce: (ms: number) => void = () => {};
  const started = new Promise<number>((resolve) => {
    announce = resolve;
  });
  const red = path.join(ROOT, 'node_modules/node-red/red.js');
  const running = start(NODE, [red, '--userDir', home, '--settings', path.join(home, 'settings.js')], {
    env: { PATH: process.env.PATH, HOME: home },
    onOutput: (text) => {
      output += text;
      if (output.includes('Started flows')) announce(performance.now() - began);
    },
  });
  try {
    return { ...running, bootMs: await deadline(started, BOOT_MS, `Node-RED (${name})`) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** Headless, with an empty flow. */
export const startStock = (): Promise<NodeRed> =>
  startNodeRed('stock', [{ id: 'tab', type: 'tab', label: 'Empty' }], 'disableEditor: true');

/** As users build it: the editor on, one flow from MQTT to MQTT, one that notes heartbeats, one HTTP answer. */
export async function startPlain(mqttUrl: string): Promise<NodeRed & Served> {
  const at = { z: 'tab', x: 100, y: 100 };
  const broker = {
    id: 'broker',
    type: 'mqtt-broker',
    broker: '127.0.0.1',
    port: new URL(mqttUrl).port,
    keepalive: '60',
  };
  const answer = { t: 'set', p: 'payload', pt: 'msg', to: 'Listen', tot: 'str' };
  const note = { t: 'set', p: 'seen', pt: 'flow', to: '', tot: 'date' };
  const nodeRed = await startNodeRed(
    'plain',
    [
      { id: 'tab', type: 'tab', label: 'Plain' },
      broker,
      { ...at, id: 'in', type: 'mqtt in', topic: 'audio/vad', qos: '0', broker: 'broker', wires: [['set']] },
      { ...at, id: 'set', type: 'change', rules: [answer], wires: [['out']] },
      { ...at, id: 'out', type: 'mqtt out', topic: 'orchestrator/state', qos: '0', broker: 'broker', wires: [] },
      { ...at, id: 'beats', type: 'mqtt in', topic: '+/heartbeat', qos: '0', broker: 'broker', wires: [['note']] },
      { ...at, id: 'note', type: 'change', rules: [note], wires: [[]] },
      { ...at, id: 'get', type: 'http in', url: '/status', method: 'get', wires: [['answer']] },
      { ...at, id: 'answer', type: 'http response', wires: [] },
    ],
    '',
  );
  return { ...nodeRed, mqttUrl };
}
