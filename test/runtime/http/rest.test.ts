import assert from 'node:assert/strict';
import { OPERATIONS, operationOf } from '../../../core/skull/operations/index.ts';
import { assertDocumented } from '../../support/answers.ts';
import { tones } from '../../support/mp3.ts';
import { startRestServer } from '../../support/rest-server-process.ts';

/** What each operation is asked here, where the example of its body will not do: [path, body]. */
const ASKED: Record<string, [string, object?]> = {
  uploadSong: ['/song/upload', songForm()],
  deleteSong: ['/song/tones'],
  getSection: ['/config/gaze'],
  replaceSection: ['/config/gaze'],
  patchSection: ['/config/gaze'],
  moveServo: ['/servo/jaw/move'],
  startService: ['/services/voice/start'],
  stopService: ['/services/voice/stop'],
  restartService: ['/services/voice/restart'],
  getServoLimits: ['/servo/jaw/limits'],
  setServoLimits: ['/servo/jaw/limits'],
  setEstop: ['/estop', { active: false }],
};
const isForm = (body: unknown): body is FormData => body instanceof FormData;

/** What they answer where it is not their success: there is no AI, and the mode is not FullAuto. */
const OTHERWISE: Record<string, number> = { reply: 504, startNextSong: 409 };
/** Before these the body has to be free. */
const ALONE = ['playSong', 'createTask'];

function songForm(): FormData {
  const form = new FormData();
  form.append('file', new File([new Uint8Array(tones())], 'tones.mp3'));
  return form;
}

describe('the REST API through the flows', () => {
  let server: Awaited<ReturnType<typeof startRestServer>>;
  before(async function () {
    this.timeout(60_000);
    server = await startRestServer();
  });
  after(() => server?.stop());

  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(server.base + path, {
      method,
      headers: { ...(!isForm(body) && body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' || isForm(body) ? body : JSON.stringify(body) }),
    });

  it('serves every operation as documented', async () => {
    let made = '';
    for (const operation of OPERATIONS) {
      const { id, method, body, success } = operation;
      const [path, asked] = ASKED[id] ?? [operation.path.replace('{id}', made)];
      if (ALONE.includes(id)) {
        for (const active of [true, false]) await ask('POST', '/estop', { active });
      }
      if (id === 'reply') await ask('PATCH', '/ia/config', { think_timeout_ms: 100 });
      const types = body?.types ?? ['application/json'];
      const answer = await ask(method, path, asked ?? body?.example, {
        ...(body && !isForm(asked) && { 'content-type': types[0] ?? '' }),
      });
      const answered = success.type?.startsWith('text/') ? await answer.text() : await answer.json();
      assert.equal(answer.status, OTHERWISE[id] ?? success.status, `${id}: ${JSON.stringify(answered)}`);
      assertDocumented(operation, answer.status, answered);
      assert.equal(answer.headers.get('x-request-id')?.length, 36);
      made = answered.id ?? made;
    }
  });

  it('refuses bad bodies everywhere as documented, and stays as it is', async () => {
    const look = async () => {
      const { mode, state, estop } = await (await ask('GET', '/status')).json();
      return JSON.stringify([mode, state, estop, await (await ask('GET', '/config')).json()]);
    };
    const before = await look();
    const deep = `${'{"a":'.repeat(2500)}1${'}'.repeat(2500)}`;
    for (const operation of OPERATIONS) {
      const { id, method, body } = operation;
      if (body === undefined || body.types?.includes('multipart/form-data')) continue;
      const [path] = ASKED[id] ?? [operation.path];
      for (const bad of ['{', '[]', '7', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', deep]) {
        const answer = await ask(method, path, bad);
        const answered = await answer.json();
        assert.equal(answer.status, 400, `${id} ${bad.slice(0, 40)}: ${JSON.stringify(answered).slice(0, 300)}`);
        assert.match(String(answer.headers.get('content-type')), /^application\/problem\+json/);
        assertDocumented(operation, 400, answered);
      }
    }
    assert.equal(await look(), before);
  });

  it('answers HEAD without a body, and an unknown place and a wrong method as problems', async () => {
    const head = await ask('HEAD', '/status');
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.ok(Number(head.headers.get('content-length')) > 0);
    for (const [method, path, status] of [
      ['GET', '/nothing', 404],
      ['DELETE', '/mode', 405],
      ['GET', '/config/%ff', 400],
      ['GET', '/config/nope', 404],
    ] as const) {
      const answer = await ask(method, path);
      assert.equal(answer.status, status);
      assert.equal((await answer.json()).instance, path);
    }
  });

  it('tells the time in the zone that is asked for, and in UTC otherwise', async () => {
    const task = { activity: 'say', args: { text: 'boo' } };
    const posted = await (await ask('POST', '/clone/orchestrator/tasks', task, { 'x-timezone': 'Asia/Tokyo' })).json();
    assert.match(posted.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00$/);
    const [item] = (await (await ask('GET', '/clone/orchestrator/tasks')).json()).items;
    assert.match(item.created_at, /Z$/);
    assert.equal(Date.parse(item.created_at), Date.parse(posted.created_at));
    await ask('DELETE', `/clone/orchestrator/tasks/${posted.id}`);
    assert.equal((await ask('GET', '/status', undefined, { 'x-timezone': 'Mars/Olympus' })).status, 400);
  });

  it('keeps many callers apart', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const wanted = n % 2 === 0 ? '/mode' : '/servo/jaw/limits';
        const answer = await ask('GET', wanted, undefined, { 'x-request-id': `caller-${n}` });
        return [answer.headers.get('x-request-id'), Object.keys(await answer.json())[0]];
      }),
    );
    for (const [n, answer] of answers.entries())
      assert.deepEqual(answer, [`caller-${n}`, n % 2 === 0 ? 'mode' : 'min']);
  });

  it('an emergency stop holds until it is released', async () => {
    const stop = await ask('POST', '/estop');
    assertDocumented(operationOf('setEstop') ?? assert.fail(), stop.status, await stop.json());
    assert.equal((await ask('POST', '/song/play', { song: 'thriller' })).status, 409);
    assert.deepEqual(await (await ask('POST', '/estop', { active: false })).json(), { estop: false, state: 'Idle' });
  });
});
