import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import mqtt, { type MqttClient } from 'mqtt';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { readFlowFiles } from '../../runtime/flows/files.ts';
import { freePort } from '../support/mosquitto.ts';
import { tones } from '../support/mp3.ts';
import { holdRestServer, type RestServer, startRestServer } from '../support/rest-server-process.ts';
import { Client } from './client.ts';

export const KEYS = { viewer: 'key-of-a-viewer', editor: 'key-of-an-editor', admin: 'key-of-an-admin' } as const;

/** What chance begins with, so that a failure can be had again. */
export const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** With keys, and where only this machine reaches it. */
export const GUARDED = {
  HOST: '127.0.0.1',
  API_KEYS: Object.entries(KEYS)
    .map(([role, key]) => `${role}:${key}`)
    .join(','),
};

export const ADMIN = { 'x-api-key': KEYS.admin };

/** Flows like ours, but without the nodes of some types, and with others in place of some. */
function otherFlows(change: (node: object & { type: string }) => object | undefined): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'skull-flows-'));
  for (const { name, nodes } of readFlowFiles(path.join(PACKAGE_ROOT, 'flows'))) {
    const changed = nodes.map(change).filter((node) => node !== undefined);
    writeFileSync(path.join(folder, name), JSON.stringify(changed));
  }
  return folder;
}

const PARTS = ['skull-fsm', 'skull-priority', 'skull-fullauto', 'skull-jaw', 'skull-health'];

/** A statechart that takes nothing, and locks the lane. */
const STUBBORN = {
  id: 'stubborn',
  initial: 'Idle',
  context: {},
  outputs: ['lane', 'fullauto', 'jaw'],
  entry: [{ command: 'lock', to: 'lane', payload: { locked: true } }],
  states: { Idle: {} },
};

/** The payload of the next message on a topic that the broker's client has subscribed to. */
export const nextOn = (broker: MqttClient, wanted: string): Promise<string> =>
  new Promise((resolve) => {
    const listener = (topic: string, payload: Buffer) => {
      if (topic !== wanted) return;
      broker.off('message', listener);
      resolve(String(payload));
    };
    broker.on('message', listener);
  });

const QUESTIONS = 'ai/request';

/** A client of a host's broker. */
export async function connect(url: string): Promise<MqttClient> {
  return mqtt.connectAsync(url);
}

/** A song to send, under a name. */
export function songForm(name: string): { type: string; body: Buffer } {
  const boundary = 'a-boundary-that-no-song-holds';
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="file"; filename="${name}"`,
    'Content-Type: audio/mpeg',
  ];
  const body = Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
    tones(),
    Buffer.from(`\r\n--${boundary}--`),
  ]);
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

export const upload = (client: Client, name: string, query = '') => {
  const { type, body } = songForm(name);
  return client.ask({ method: 'POST', path: `/song/upload${query}`, headers: { 'content-type': type }, body });
};

/** Ends what runs and waits, and puts the skull where it was after its start; with as few changes as it takes. */
export async function calm(client: Client): Promise<void> {
  const { state, mode, estop, queued, paused, activity, fullauto } = await client.must('GET', '/status');
  const isAtRest = state === 'Idle' && queued === 0 && paused === 0 && activity === null;
  if (!isAtRest || estop || Object(fullauto).cycle_id !== null) {
    await client.must('POST', '/estop', { active: true });
  }
  if (mode !== 'Idle') await client.must('POST', '/mode', { mode: 'Idle' });
  const { state: lane } = await client.must('GET', '/clone/orchestrator/status');
  if (Object(lane).mode === 'stopped') await client.must('POST', '/clone/orchestrator/start');
  const config = await client.must('GET', '/config');
  for (const [section, value] of Object.entries(config)) {
    if (!isDeepStrictEqual(value, Object(DEFAULTS)[section])) await client.must('PUT', `/config/${section}`, {});
  }
  if ((await client.must('GET', '/status')).estop) await client.must('POST', '/estop', { active: false });
}

/** The hosts that it takes to hear every documented answer. */
export class Stage {
  /** As it is delivered. */
  readonly main: Client;
  readonly broker: MqttClient;
  /** Without a key. */
  readonly keyless: Client;
  /** In the midst of its start. */
  readonly starting: Client;
  /** Its statechart takes nothing, and it keeps no figures. */
  readonly stubborn: Client;
  readonly #endings: (() => unknown)[];

  private constructor(
    main: RestServer,
    broker: MqttClient,
    starting: Client,
    stubborn: RestServer,
    endings: (() => unknown)[],
  ) {
    this.main = new Client(main.base, ADMIN);
    this.broker = broker;
    this.keyless = new Client(main.base);
    this.starting = starting;
    this.stubborn = new Client(stubborn.base, ADMIN, 100);
    this.#endings = endings;
  }

  static async open(): Promise<Stage> {
    const flows = otherFlows((node) => (node.type === 'skull-fsm' ? { ...node, definition: STUBBORN } : node));
    const port = String(await freePort());
    const main = await startRestServer(GUARDED);
    const stubborn = await startRestServer({ ...GUARDED, FLOWS_DIR: flows, METRICS_ENABLED: 'false' });
    const endHeld = await holdRestServer({ ...GUARDED, PORT: port });
    const broker = await connect(main.mqtt);
    await broker.subscribeAsync(QUESTIONS);
    const starting = new Client(`http://127.0.0.1:${port}`, ADMIN);
    return new Stage(main, broker, starting, stubborn, [
      () => rmSync(flows, { recursive: true }),
      main.stop,
      stubborn.stop,
      endHeld,
    ]);
  }

  async close(): Promise<void> {
    for (const client of [this.main, this.keyless, this.starting, this.stubborn]) client.close();
    await this.broker.endAsync(true);
    for (const end of this.#endings) await end();
  }

  /** What the skull asks its AI next. */
  question(): Promise<string> {
    return nextOn(this.broker, QUESTIONS);
  }

  /** Posts as many tasks as may wait; none of them begins. */
  async fillQueue(): Promise<void> {
    await this.main.must('POST', '/clone/orchestrator/stop');
    const task = { activity: 'publish', args: { topic: 'motion/center', payload: {} } };
    let waiting: unknown = 0;
    for (let posted = 0; posted < 500; posted++) {
      this.broker.publish('orchestrator/tasks/add', JSON.stringify(task));
    }
    while (waiting !== 500) waiting = (await this.main.must('GET', '/clone/orchestrator/status')).queue_size;
  }

  /** A host without the parts that move the skull, and without a manager of services. */
  static async bare(): Promise<{ client: Client; close(): Promise<void> }> {
    const flows = otherFlows((node) => (PARTS.includes(node.type) ? undefined : node));
    const server = await startRestServer({ ...GUARDED, SERVICE_MANAGER: 'none', FLOWS_DIR: flows });
    const client = new Client(server.base, ADMIN);
    const close = async () => {
      client.close();
      await server.stop();
      rmSync(flows, { recursive: true });
    };
    return { client, close };
  }
}
