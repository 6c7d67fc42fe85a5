import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { asked } from '../../core/model/asked.ts';
import { SECTIONS } from '../../core/skull/config/sections.ts';
import { SIGNALS, type Signal } from '../../core/skull/topics.ts';
import { type RestServer, startRestServer } from '../support/rest-server-process.ts';
import { nearMiss, oddString, textOf, valueFor } from './arbitraries.ts';
import { Client } from './client.ts';
import { ApiDocument } from './document.ts';
import { look } from './look.ts';
import { ADMIN, calm, connect, GUARDED, SEED } from './stage.ts';

interface Message {
  topic: string;
  payload: string | Uint8Array;
}

/** So many messages in a batch at most: what one of them changes is looked for in all. */
const MOST = 200;
const BATCHES = 50;
/** What is published here shows over REST. */
const FENCE = 'orchestrator/tasks/run';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** Everything that comes in and is checked: the signals, and the sections of the configuration. */
const DOORS: readonly (readonly [topic: string, Signal])[] = [
  ...SIGNALS,
  ...Object.entries(SECTIONS).map(([name, schema]) => [`skull/config/${name}`, { schema }] as const),
];

/** Whether a text is a JSON object that does not fit; anything else may be taken for somebody's words. */
function isMisfit({ schema, ofObject }: Signal): (text: string) => boolean {
  const fits = ajv.compile(asked(schema));
  return (text) => {
    if (!text.startsWith('{')) return false;
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !fits(ofObject?.(value) ?? value);
  };
}

const noUtf8 = fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(0xff, ...bytes));
const huge = fc.constant(`{"text":"${'a'.repeat(64 * 1024)}"}`);

/** Payloads that this topic has no use for. */
function misfitsOf(api: ApiDocument, [topic, signal]: (typeof DOORS)[number]): fc.Arbitrary<Message> {
  const fitting = valueFor(api, asked(signal.schema));
  const objects = nearMiss(fc.oneof(fitting, fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })))
    .map(textOf)
    .filter(isMisfit(signal));
  // Where no word means anything.
  const words = signal.ofWord === undefined ? [oddString.map((text) => `~${text}`)] : [];
  const payload = fc.oneof({ weight: 8, arbitrary: objects }, noUtf8, huge, ...words);
  return payload.map((one) => ({ topic, payload: one }));
}

/** Whatever comes to somebody's mind, also what fits. */
function anythingOn(api: ApiDocument, [topic, { schema }]: (typeof DOORS)[number]): fc.Arbitrary<Message> {
  const fitting = valueFor(api, asked(schema));
  const payload = fc.oneof(fitting.map(textOf), nearMiss(fitting).map(textOf), oddString, fc.uint8Array());
  return payload.map((one) => ({ topic, payload: one }));
}

describe(`payloads on the topics that come in (FUZZ_SEED=${SEED})`, () => {
  let server: RestServer;
  let client: Client;
  let broker: MqttClient;
  let api: ApiDocument;
  before(async function () {
    this.timeout(60_000);
    server = await startRestServer(GUARDED);
    client = new Client(server.base, ADMIN, 8);
    broker = await connect(server.mqtt);
    api = await ApiDocument.read(client);
  });
  after(async () => {
    client?.close();
    await broker?.endAsync(true);
    await server?.stop();
  });

  /** How many payloads were dropped so far. */
  async function dropped(): Promise<number> {
    const { text } = await client.json('GET', '/metrics');
    const counts = text.matchAll(/^skull_mqtt_payloads_dropped_total\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Resolves once all that was published before has been read: messages are read in the order in which they come. */
  async function read(): Promise<void> {
    for (const word of ['stop', 'start']) {
      await broker.publishAsync(FENCE, word);
      const wanted = word === 'stop';
      let isStopped = !wanted;
      while (isStopped !== wanted) {
        const { state } = await client.must('GET', '/clone/orchestrator/status');
        isStopped = Object(state).mode === 'stopped';
      }
    }
  }

  it('are dropped and counted where they do not fit, and change nothing', async function () {
    this.timeout(120_000);
    await calm(client);
    const before = await look(client);
    const batch = fc.array(fc.oneof(...DOORS.map((door) => misfitsOf(api, door))), {
      minLength: 1,
      maxLength: MOST,
      size: 'max',
    });
    let sent = 0;
    const isDropped = async (messages: Message[]) => {
      sent += messages.length;
      const already = await dropped();
      for (const { topic, payload } of messages) broker.publish(topic, Buffer.from(payload));
      await read();
      assert.deepEqual(await look(client), before);
      assert.equal((await dropped()) - already, messages.length, 'not all were dropped, or not all were counted');
    };
    await fc.assert(fc.asyncProperty(batch, isDropped), { numRuns: BATCHES, seed: SEED });
    assert.ok(sent > 10 * BATCHES, `only ${sent} payloads`);
  });

  it('end nothing, whatever they are: afterwards the skull does what it is told', async function () {
    this.timeout(60_000);
    const doors = DOORS.filter(([topic]) => topic !== FENCE).map((door) => anythingOn(api, door));
    const messages = fc.sample(fc.oneof(...doors), { numRuns: 1500, seed: SEED });
    for (const { topic, payload } of messages) broker.publish(topic, Buffer.from(payload));
    await read();
    await calm(client);
    await client.must('POST', '/mode', { mode: 'Accueil' });
    const { mode, state, estop } = await client.must('GET', '/status');
    assert.deepEqual([mode, state, estop], ['Accueil', 'Idle', false]);
    assert.notEqual((await client.must('GET', '/health')).status, 'unhealthy');
  });
});
