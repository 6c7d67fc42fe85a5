import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type RestServer, startRestServer } from '../support/rest-server-process.ts';
import { type Asked, Client } from './client.ts';
import { ApiDocument } from './document.ts';
import { sample } from './provocations.ts';
import { ADMIN, calm, connect, GUARDED, nextOn } from './stage.ts';

/** What moves the skull, or would later. */
const MOVING = ['say', 'playSong', 'moveServo', 'reply', 'testFullauto', 'createTask'];
/** So many requests are under way when the emergency stop comes. */
const CLIENTS = 50;
const FENCE = 'contract/fence';

describe('the emergency stop, from outside', () => {
  let server: RestServer;
  let client: Client;
  let crowd: Client[];
  let broker: MqttClient;
  let commands: Asked[];
  const states: string[] = [];

  before(async function () {
    this.timeout(60_000);
    server = await startRestServer(GUARDED);
    client = new Client(server.base, ADMIN);
    crowd = Array.from({ length: CLIENTS }, () => new Client(server.base, ADMIN, 1));
    broker = await connect(server.mqtt);
    broker.on('message', (topic, payload) => {
      if (topic === 'orchestrator/state') states.push(String(payload));
    });
    await broker.subscribeAsync(['orchestrator/state', FENCE]);
    const api = await ApiDocument.read(client);
    commands = MOVING.map((id) => sample(api.operation(id)));
  });
  beforeEach(() => calm(client));
  after(async () => {
    for (const one of [client, ...(crowd ?? [])]) one?.close();
    await broker?.endAsync(true);
    await server?.stop();
  });

  const lying = { state: 'Idle', estop: true, activity: null, queued: 0, paused: 0 };
  async function assertLying(): Promise<void> {
    const { state, estop, activity, queued, paused } = await client.must('GET', '/status');
    assert.deepEqual({ state, estop, activity, queued, paused }, lying);
    assert.deepEqual((await client.must('GET', '/clone/orchestrator/tasks')).items, []);
  }

  it('has everything refused that would move the skull, but no change of the mode', async () => {
    await client.must('POST', '/estop');
    for (const command of commands) {
      const { status, body } = await client.ask(command);
      assert.deepEqual([status, Object(body).type], [409, 'urn:skull:problem:estop'], command.path);
    }
    assert.deepEqual(await client.must('POST', '/mode', { mode: 'Chanson' }), { mode: 'Chanson' });
    broker.publish('orchestrator/tasks/add', JSON.stringify({ activity: 'say', args: { text: 'Ah !' } }));
    await broker.publishAsync('skull/mode', 'IA');
    for (let mode: unknown; mode !== 'IA'; ) ({ mode } = await client.must('GET', '/mode'));
    await assertLying();
  });

  it('is answered in the midst of a flood of commands, and holds until it is released', async function () {
    this.timeout(30_000);
    let isStopped = false;
    const late: number[] = [];
    const flood = crowd.map(async (one, n) => {
      for (let turn = 0; turn < 20; turn++) {
        const command = commands[(n + turn) % commands.length];
        // A conversation would wait for its AI.
        if (command === undefined || command.path === '/ia/reply') continue;
        const isLate = isStopped;
        const { status } = await one.ask(command);
        assert.ok([200, 201, 409, 429].includes(status), `${command.path} ${status}`);
        if (isLate) late.push(status);
        // In the midst of the others' commands, whichever client is here first.
        if (turn === 5 && !isStopped) {
          assert.deepEqual(await one.must('POST', '/estop'), { estop: true, state: 'Idle' });
          isStopped = true;
        }
      }
    });
    await Promise.all(flood);
    assert.ok(late.length > CLIENTS);
    assert.deepEqual([...new Set(late)], [409]);
    await assertLying();

    const fence = nextOn(broker, FENCE);
    broker.publish(FENCE, '');
    await fence;
    assert.equal(states.at(-1), 'Idle');
    assert.deepEqual(await client.must('POST', '/estop', { active: false }), { estop: false, state: 'Idle' });
    const { activity } = await client.must('POST', '/say', { text: 'Me revoilà.' });
    assert.equal(Object(activity).phase, 'running');
  });
});
