import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { MqttClient } from 'mqtt';
import { type RestServer, startRestServer } from '../support/rest-server-process.ts';
import { Client } from './client.ts';
import { ADMIN, connect, GUARDED, nextOn } from './stage.ts';

const CLIENTS = 100;
const TASKS = '/clone/orchestrator/tasks';

describe('a hundred clients at once', () => {
  let server: RestServer;
  let broker: MqttClient;
  let clients: Client[];
  let one: Client;
  const events: { seq: number; kind: string; data: Record<string, unknown> }[] = [];
  const states: string[] = [];
  const published: string[] = [];

  before(async function () {
    this.timeout(60_000);
    server = await startRestServer(GUARDED);
    one = new Client(server.base, ADMIN);
    clients = Array.from({ length: CLIENTS }, () => new Client(server.base, ADMIN, 1));
    broker = await connect(server.mqtt);
    broker.on('message', (topic, payload, { retain }) => {
      if (topic === 'orchestrator/event') events.push(JSON.parse(String(payload)));
      else if (topic === 'orchestrator/state' && !retain) states.push(String(payload));
      else if (topic === 'motion/contract') published.push(String(payload));
      // A voice that is done as soon as it begins.
      else if (topic === 'voice/say')
        broker.publish('voice/state', JSON.stringify({ state: 'done', id: JSON.parse(String(payload)).id }));
    });
    await broker.subscribeAsync(['orchestrator/event', 'orchestrator/state', 'motion/contract', 'voice/say']);
  });
  after(async () => {
    for (const client of [one, ...(clients ?? [])]) client?.close();
    await broker?.endAsync(true);
    await server?.stop();
  });

  /** All of them at once, each of them one after the other. */
  const each = <T>(work: (client: Client, n: number) => Promise<T>): Promise<T[]> => Promise.all(clients.map(work));

  /** Resolves once an event has come for which the condition holds, or has held already. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void broker.once('message', () => resolve()));
  }

  const isEnded = ({ kind, data }: (typeof events)[number]): boolean => kind === 'activity' && data.phase === 'ended';

  it('each get the answers to what they asked, under the names that they gave', async function () {
    this.timeout(30_000);
    const kinds = [
      ['GET', '/status', undefined, 'mode', 200],
      ['GET', '/mode', undefined, 'mode', 200],
      ['PATCH', '/config/song', { volume: 70 }, 'volume', 200],
      ['GET', '/servo/jaw/limits', undefined, 'min', 200],
      ['POST', '/servo/jaw/move', { angle: 400 }, 'detail', 422],
      ['GET', '/config/nobody', undefined, 'detail', 404],
    ] as const;
    const answers = await each(async (client, n) => {
      for (let turn = 0; turn < 20; turn++) {
        const [method, at, body, key, status] = kinds[(n + turn) % kinds.length] ?? kinds[0];
        const id = `client-${n}-turn-${turn}`;
        const answer = await client.json(method, at, body, { 'x-request-id': id });
        assert.deepEqual([answer.headers['x-request-id'], answer.status], [id, status]);
        assert.ok(key in Object(answer.body), `${method} ${at}: ${answer.text}`);
      }
      return 20;
    });
    assert.equal(answers.length * 20, 2000);
  });

  it('lose no change of one key each of a section', async () => {
    const wanted = clients.slice(0, 29).map((_client, n) => [`servo${n}`, { min: -1 - n, max: n, center: 0 }] as const);
    await Promise.all(
      wanted.map(([name, limits], n) => clients[n]?.must('PATCH', '/config/motion', { servos: { [name]: limits } })),
    );
    const { servos } = await one.must('GET', '/config/motion');
    for (const [name, limits] of wanted) assert.deepEqual(Object(servos)[name], limits);
  });

  it('lose no task, and have none done twice', async function () {
    this.timeout(30_000);
    await one.must('POST', '/clone/orchestrator/stop');
    const posted = await each(async (client, n) => {
      const ids: unknown[] = [];
      for (const turn of [0, 1, 2, 3]) {
        const args = { topic: 'motion/contract', payload: `${n}-${turn}` };
        ids.push((await client.must('POST', TASKS, { activity: 'publish', args })).id);
      }
      return ids;
    });
    const ids = posted.flat().map(String).sort();
    assert.equal(new Set(ids).size, 4 * CLIENTS);

    const listed: string[] = [];
    for (let cursor: unknown = ''; cursor !== null; ) {
      const page = await one.must('GET', `${TASKS}?limit=77${cursor === '' ? '' : `&cursor=${cursor}`}`);
      listed.push(...Object(page).items.map(({ id }: { id: string }) => id));
      cursor = page.next_cursor;
    }
    assert.deepEqual(listed.sort(), ids);

    await one.must('POST', '/clone/orchestrator/start');
    const ended = () => events.filter(isEnded).map(({ data }) => String(data.id));
    await until(() => ids.every((id) => ended().includes(id)));
    assert.deepEqual(ended().sort(), ids, 'each ends once');
    const outcomes = new Set(events.filter(isEnded).map(({ data }) => data.outcome));
    assert.deepEqual([...outcomes], ['completed']);
    assert.equal(published.length, ids.length);
    assert.equal(new Set(published).size, ids.length);
  });

  it('have the states told in order, and the events without a gap', async function () {
    this.timeout(30_000);
    const said = await each(async (client, n) => {
      const { activity } = await client.must('POST', '/say', { text: `C'est ${n}.` });
      return String(Object(activity).id);
    });
    const ended = () => new Set(events.filter(isEnded).map(({ data }) => String(data.id)));
    await until(() => said.every((id) => ended().has(id)));
    const moves = () => events.filter(({ kind, data }) => kind === 'transition' && data.from !== data.to);
    await until(() => moves().at(-1)?.data.to === 'Idle');

    assert.deepEqual(
      states,
      moves().map(({ data }) => data.to),
    );
    assert.ok(states.length >= 2 * CLIENTS);
    const [first = 0] = events.map(({ seq }) => seq);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_event, n) => first + n),
    );

    const { items } = await one.must('GET', '/events?limit=500');
    const kept = Object(items).map(({ seq }: { seq: number }) => seq);
    assert.deepEqual(
      kept,
      kept.map((_seq: number, n: number) => kept[0] - n),
    );
  });

  it('agree in the end with those who speak MQTT on how a section is', async function () {
    this.timeout(30_000);
    const gaze = (track_ms: number) => ({ enabled: true, track_ms, smoothing: 0.3 });
    await each(async (client, n) => {
      broker.publish('skull/config/gaze', JSON.stringify(gaze(2000 + n)), { retain: true });
      await client.must('PATCH', '/config/gaze', { track_ms: 1000 + n });
      broker.publish('skull/config/gaze', JSON.stringify(gaze(3000 + n)), { retain: true });
    });
    // Behind all of these, as messages are read in their order.
    await broker.publishAsync('skull/config/vision', '{"threshold":0.123}');
    for (let threshold: unknown; threshold !== 0.123; ) ({ threshold } = await one.must('GET', '/config/vision'));

    const served = await one.must('GET', '/config/gaze');
    const late = await connect(server.mqtt);
    const kept = nextOn(late, 'skull/config/gaze');
    await late.subscribeAsync('skull/config/gaze');
    assert.deepEqual(JSON.parse(await kept), served, 'what the broker keeps');
    await late.endAsync(true);
    const onDisk = () => JSON.parse(readFileSync(path.join(server.home, 'config/gaze.json'), 'utf8'));
    while (onDisk().track_ms !== served.track_ms) await one.must('GET', '/mode');
    assert.deepEqual(onDisk(), served);
  });
});
