import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import skullOperation from '../../nodes/skull-operation/skull-operation.ts';
import { type FlowNode, type LoadedFlow, loadFlow } from '../support/flow.ts';
import { skull } from '../support/skull.ts';

const TAB: FlowNode = { id: 'tab', type: 'tab' };
const operation = (id: string, extra: object = {}): FlowNode => ({
  id: 'op',
  type: 'skull-operation',
  z: 'tab',
  character: 'skull',
  operation: id,
  wires: [['answer'], ['command']],
  ...extra,
});
const sinks: FlowNode[] = ['answer', 'command', 'caught'].map((id) => ({ id, type: 'helper', z: 'tab' }));
const catching: FlowNode = { id: 'catch', type: 'catch', z: 'tab', scope: null, wires: [['caught']] };

describe('skull-operation', () => {
  let flow: LoadedFlow;
  let body: ReturnType<typeof skull>;

  async function load(node: FlowNode): Promise<void> {
    flow = await loadFlow([skullOperation], [TAB, node, ...sinks, catching]);
    body = skull();
    flow.character.embody(body.chart);
    flow.character.arbitrate(body.lane);
  }
  afterEach(() => flow.unload());

  /** Sends what `http in` would send, and reads what `http response` would get. */
  async function ask(req: object, extra: object = {}) {
    const answered = flow.next('answer');
    flow.node('op').receive({ req: { originalUrl: '/there?x=1', query: {}, params: {}, ...req }, res: {}, ...extra });
    const { payload, statusCode, headers } = await answered;
    assert.ok(Buffer.isBuffer(payload));
    return { status: statusCode, headers, body: JSON.parse(payload.toString()) };
  }

  it('answers JSON for http response to send', async () => {
    await load(operation('getMode'));
    assert.deepEqual(await ask({}), {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: { mode: 'Idle' },
    });
  });

  it('answers a text as it is', async () => {
    await load(operation('getMetrics'));
    const render = async () => '# a "text"\n';
    Object.assign(flow.character.ports, { metrics: { render } });
    const answered = flow.next('answer');
    flow.node('op').receive({ req: { originalUrl: '/metrics', query: {}, params: {} }, res: {} });
    const { payload, headers } = await answered;
    assert.deepEqual(headers, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    assert.equal(String(payload), '# a "text"\n');
  });

  it('acts in the tick in which the request comes', async () => {
    await load(operation('setEstop'));
    const answered = ask({ body: '' });
    assert.equal(body.chart.context.estop, true);
    assert.deepEqual((await answered).body, { estop: true, state: 'Idle' });
  });

  it('sends what is to be published by its second output', async () => {
    await load(operation('moveServo'));
    const command = flow.next('command');
    await ask({ params: { name: 'jaw' }, body: { angle: 5, duration_ms: 100 } });
    const { topic, payload } = await command;
    assert.deepEqual({ topic, payload }, { topic: 'motion/servo/jaw/move', payload: { angle: 5, duration_ms: 100 } });
  });

  it('answers a refusal as problem details, with the id that the guard gave', async () => {
    await load(operation('setMode'));
    const refused = await ask({ body: { mode: 'Nap' }, skull: { id: 'r7', role: 'editor' } });
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.headers, { 'content-type': 'application/problem+json; charset=utf-8' });
    assert.equal(refused.body.request_id, 'r7');
    assert.equal(refused.body.instance, '/there');
    assert.equal(refused.body.errors[0].path, '/mode');
    assert.equal((await ask({ body: Buffer.alloc(0) })).body.detail, 'The body is missing: JSON is needed.');
  });

  it("knows the caller's role", async () => {
    await load(operation('setEstop'));
    const viewer = { id: 'r', role: 'viewer' };
    assert.equal((await ask({ body: { active: true }, skull: viewer })).status, 200);
    assert.equal((await ask({ body: { active: false }, skull: viewer })).status, 403);
    assert.equal((await ask({ body: { active: false } })).status, 200, 'a host without our guard');
  });

  it('hides what failed unexpectedly from the caller, and tells Catch', async () => {
    await load(operation('getConfig'));
    flow.character.config.all = () => {
      throw new Error('a secret');
    };
    const caught = flow.next('caught');
    const { status, body: problem } = await ask({ skull: { id: 'r9', role: 'viewer' } });
    assert.equal(status, 500);
    assert.doesNotMatch(JSON.stringify(problem), /secret/);
    const [line] = flow.log.entries.filter(({ level }) => level === 'error');
    assert.deepEqual([line?.request_id, line?.operation], ['r9', 'getConfig']);
    assert.match(String(line?.error), /a secret/);
    const { error } = (await caught) as { error: { message: string } };
    assert.match(error.message, /a secret/);
  });

  it('logs every request, and makes an event of each command', async () => {
    await load(operation('setMode'));
    const events: unknown[] = [];
    flow.character.events.onEvent((event) => {
      if (event.kind === 'rest') events.push(event);
    });
    await ask({ body: { mode: 'IA' }, skull: { id: 'r8', role: 'editor' } });
    const data = { method: 'POST', path: '/there', status: 200 };
    assert.deepEqual(events, [
      {
        seq: 2,
        time: new Date(flow.clock.now()).toISOString(),
        kind: 'rest',
        subject: 'setMode',
        cause: 'r8',
        data,
      },
    ]);
    const line = { kind: 'rest', msg: 'POST /there 200', request_id: 'r8', operation: 'setMode', ...data, ms: 0 };
    assert.deepEqual(
      flow.log.entries.filter(({ kind }) => kind === 'rest'),
      [{ level: 'info', ...line }],
    );
  });

  it('makes no event of reading', async () => {
    await load(operation('getMode'));
    flow.character.events.onEvent(() => assert.fail());
    await ask({});
    assert.deepEqual(
      flow.log.entries.filter(({ kind }) => kind === 'rest').map(({ level }) => level),
      ['debug'],
    );
  });

  it('waits for what comes later', async () => {
    await load(operation('reply'));
    const answered = ask({ body: { text: 'bonjour' } });
    body.send('ai/response', { text: 'oui' });
    assert.deepEqual((await answered).body, { reply: 'oui' });
  });

  it('works without HTTP: payload in, value out', async () => {
    await load(operation('moveServo'));
    const answered = flow.next('answer');
    flow.node('op').receive({ params: { name: 'pan' }, payload: { angle: -10 } });
    const { payload, statusCode } = await answered;
    assert.deepEqual([payload, statusCode], [{ name: 'pan', angle: -10, duration_ms: 300 }, 200]);
  });

  it('shows the last status, at most twice a second', async () => {
    await load(operation('setMode'));
    const shown: unknown[] = [];
    flow.node('op').status = (status) => void shown.push(Object(status).text);
    const accepted = { body: { mode: 'IA' } };
    const refused = { body: {} };
    for (const req of [accepted, accepted, refused, accepted, refused]) await ask(req);
    assert.deepEqual(shown, ['200']);
    flow.clock.advance(500);
    assert.deepEqual(shown, ['200', '400']);
    await ask(accepted);
    await flow.node('op').close();
    flow.clock.advance(1000);
    assert.deepEqual(shown, ['200', '400', undefined]);
  });

  for (const [what, extra] of [
    ['character', { character: '' }],
    ['operation', { operation: 'dance' }],
  ] as const) {
    it(`answers 503 when it has no ${what}, so that nobody waits`, async () => {
      await load(operation('getMode', extra));
      const { status, body: problem } = await ask({});
      assert.equal(status, 503);
      assert.match(problem.detail, new RegExp(`no ${what}`));
    });
  }

  it('lists the operations for the editor', async () => {
    await load(operation('getMode'));
    const { default: helper } = await import('node-red-node-test-helper');
    const request = helper.request() as { get(path: string): Promise<IncomingMessage & { body: unknown[] }> };
    const { body: list } = await request.get('/skull-operation/operations');
    assert.deepEqual(list[0], {
      id: 'getHealth',
      method: 'GET',
      path: '/health',
      summary: 'Is the orchestrator well?',
    });
  });
});
