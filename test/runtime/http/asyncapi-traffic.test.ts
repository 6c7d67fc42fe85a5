import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import mqtt, { type MqttClient } from 'mqtt';
import { asyncApiDocument } from '../../../runtime/http/asyncapi.ts';
import { type RestServer, startRestServer } from '../../support/rest-server-process.ts';
import { Watcher } from '../../support/watcher.ts';

const SONG = path.resolve(import.meta.dirname, '../../fixtures/tones.mp3');

/** So long may the skull take for each step of the tour. */
const PATIENCE_MS = 20_000;

interface Packet {
  topic: string;
  payload: string;
  qos: number;
  /** Told because we subscribed, for the broker had it. */
  kept: boolean;
}

interface Form {
  id: string;
  plain: boolean;
  fits: ValidateFunction;
}

interface Documented {
  address: string;
  pattern: RegExp;
  retain: boolean;
  qos: number;
  forms: Form[];
}

/** A schema that lets no key pass which it does not name. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const plain = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in plain && plain.type !== undefined ? { additionalProperties: false, ...plain } : plain;
}

/** What the document says that the orchestrator sends. */
function sent(): Documented[] {
  const document = Object(closed(asyncApiDocument('1.2.3')));
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ components: document.components }, 'asyncapi');
  const operations: Record<string, Record<string, unknown>>[] = Object.values(document.operations);
  const last = (ref: unknown): string => String(ref).split('/').at(-1) ?? '';
  return operations
    .filter(({ action }) => String(action) === 'send')
    .map(({ channel, bindings, messages }) => {
      const { address } = document.channels[last(channel?.$ref)];
      const { retain, qos } = Object(bindings?.mqtt);
      const forms = Object.values(messages ?? {}).map((message): Form => {
        const id = last(Object(message).$ref);
        const fits = ajv.compile({ $ref: `asyncapi#/components/messages/${id}/payload` });
        return { id, plain: document.components.messages[id].contentType === 'text/plain', fits };
      });
      return { address, pattern: new RegExp(`^${address.replaceAll(/\{\w+\}/g, '[^/]+')}$`), retain, qos, forms };
    });
}

/** The form that a payload has, of those of its channel. */
function formOf({ forms }: Documented, { topic, payload }: Packet): Form {
  const found = forms.find(({ plain, fits }) =>
    fits(plain ? payload : payload === '' ? undefined : JSON.parse(payload)),
  );
  const reasons = forms.map(({ id, fits }) => `${id}: ${JSON.stringify(fits.errors)}`);
  assert.ok(found, `${topic} ${payload} is none of\n${reasons.join('\n')}`);
  return found;
}

async function listen(url: string, packets: Packet[]): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url);
  client.on('message', (topic, payload, { qos, retain }) => {
    packets.push({ topic, payload: payload.toString(), qos, kept: retain });
  });
  await client.subscribeAsync('#', { qos: 1 });
  return client;
}

describe('what the orchestrator sends over MQTT', function () {
  this.timeout(PATIENCE_MS);
  const documented = sent();
  const packets: Packet[] = [];
  /** Of these, what the orchestrator said. */
  let told: Packet[] = [];
  const kept: Packet[] = [];
  /** What we said ourselves. */
  const ours: string[] = [];
  let server: RestServer;
  let watcher: Watcher;
  const listeners: MqttClient[] = [];

  const say = (topic: string, payload: unknown) => {
    ours.push(`${topic} ${typeof payload === 'string' ? payload : JSON.stringify(payload)}`);
    watcher.say(topic, payload);
  };
  const state = (word: string) => watcher.next('orchestrator/state', word);
  async function ask(method: string, route: string, body?: unknown): Promise<void> {
    const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(server.base + route, { method, ...(body !== undefined && json) });
    assert.ok(response.ok, `${method} ${route}: ${response.status} ${await response.text()}`);
  }

  async function tourOfSettings(): Promise<void> {
    await ask('PATCH', '/config/gaze', { track_ms: 100 });
    await ask('PATCH', '/config/motion', { servos: { ear: { min: 0, max: 10, center: 5 } } });
    await watcher.next('motion/servo/ear/limits', (payload) => payload !== '');
    await ask('PATCH', '/config/motion', { servos: { ear: null } });
    await watcher.next('motion/servo/ear/limits', '');
    await ask('PATCH', '/config/ia', { temperature: 1 });
    await watcher.next('ai/config');
    say('skull/config/vision', { threshold: 7 });
    await watcher.next('skull/config/vision', (payload) => JSON.parse(payload).threshold === 0.5);
    await ask('POST', '/servo/pan/move', { angle: 10 });
    await watcher.next('motion/servo/pan/move');
  }

  async function tourOfGreetings(): Promise<void> {
    await ask('POST', '/mode', { state: 'Accueil' });
    say('vision/motion', { score: 0.9 });
    await state('Track');
    say('vision/pose', { x: 0.5, y: -0.5 });
    await state('Talk');
    await ask('POST', '/say', { text: 'Silence !', priority: 'URGENT' });
    const { id } = await watcher.json('voice/say', (payload) => payload.includes('Silence'));
    say('voice/state', { state: 'done', id });
    await watcher.next('voice/resume');
    say('voice/state', 'done');
    await state('Idle');
  }

  async function tourOfConversations(): Promise<void> {
    await ask('POST', '/mode', { state: 'IA' });
    say('audio/vad', { active: true });
    await state('Listen');
    say('asr/text', 'bonjour');
    await state('Think');
    say('ai/response', 'salut');
    await state('Speak');
    say('voice/state', 'done');
    await state('Idle');
  }

  async function tourOfSongs(): Promise<void> {
    const form = new FormData();
    form.set('file', new Blob([readFileSync(SONG)]), 'tones.mp3');
    assert.equal((await fetch(`${server.base}/song/upload`, { method: 'POST', body: form })).status, 200);
    await ask('POST', '/mode', { state: 'FullAuto' });
    await watcher.next('voice/play');
    await watcher.next('motion/jaw', (payload) => JSON.parse(payload).open > 0);
    await ask('POST', '/song/pause');
    await watcher.next('voice/pause');
    await ask('POST', '/song/play');
    await watcher.next('voice/resume');
    await ask('POST', '/song/stop');
    await watcher.next('voice/stop');
  }

  async function tourOfStops(): Promise<void> {
    say('orchestrator/tasks/add', { activity: 'greet', key: 'a' });
    await state('Track');
    await ask('POST', '/estop');
    await watcher.next('motion/center');
    await ask('POST', '/estop', { active: false });
    await watcher.next('orchestrator/estop', 'off');
    await ask('POST', '/services/voice/stop');
    await watcher.next('orchestrator/event', (payload) => JSON.parse(payload).kind === 'service');
    await ask('POST', '/mode', { state: 'Idle' });
    await ask('PATCH', '/config/vision', { sleep_after_ms: 100 });
    say('audio/vad', { active: true });
    await state('Sleep');
  }

  before(async () => {
    server = await startRestServer();
    watcher = await Watcher.on(server.mqtt);
    listeners.push(watcher.client, await listen(server.mqtt, packets));
    await watcher.next('orchestrator/health');
    await tourOfSettings();
    await tourOfGreetings();
    await tourOfConversations();
    await tourOfSongs();
    await tourOfStops();
    await watcher.settled();
    const late = await Watcher.on(server.mqtt);
    listeners.push(late.client, await listen(server.mqtt, kept));
    // What the broker kept comes before what is published after it was asked for.
    while (!kept.some(({ kept: isKept }) => !isKept)) await late.settled();
    told = packets.filter(({ topic }) => topic !== 'test/mark');
    for (const said of ours) {
      const at = told.findIndex(({ topic, payload }) => `${topic} ${payload}` === said);
      if (at >= 0) told.splice(at, 1);
    }
  });
  after(async () => {
    await Promise.all(listeners.map((client) => client.endAsync(true)));
    await server?.stop();
  });

  const channelOf = ({ topic }: Packet) => documented.find(({ pattern }) => pattern.test(topic));

  it('is on a documented channel, in a documented form', () => {
    assert.ok(told.length > 100);
    for (const packet of told) {
      const channel = channelOf(packet);
      assert.ok(channel, `${packet.topic} is not documented`);
      formOf(channel, packet);
    }
  });

  it('is retained where it is documented so, and nowhere else', () => {
    const topics = new Set(kept.filter((packet) => packet.kept).map(({ topic }) => topic));
    const gone = 'motion/servo/ear/limits';
    for (const { topic } of told) {
      assert.equal(
        topics.has(topic),
        topic !== gone && channelOf({ topic, payload: '', qos: 0, kept: false })?.retain,
        topic,
      );
    }
  });

  it('has the documented quality of service', () => {
    for (const packet of told) if (!packet.kept) assert.equal(packet.qos, channelOf(packet)?.qos, packet.topic);
  });

  it('leaves no documented form unsaid', () => {
    const seen = new Set(
      told.map((packet) => {
        const channel = channelOf(packet);
        return channel && `${channel.address} ${formOf(channel, packet).id}`;
      }),
    );
    const all = documented.flatMap(({ address, forms }) => forms.map(({ id }) => `${address} ${id}`));
    assert.deepEqual(
      all.filter((one) => !seen.has(one)),
      [],
    );
  });
});
