import assert from 'node:assert/strict';
import { useGuard } from '../../support/guard.ts';

describe('keys and roles', () => {
  const guard = useGuard();
  const { start, ask, json, refused } = guard;

  const KEYS = { API_KEY: 'boss', API_KEYS: 'viewer:look,editor:edit' };
  const key = (value: string, more: Record<string, string> = {}) => ({ headers: { 'x-api-key': value, ...more } });
  const post = (value: string, more: Record<string, string> = {}) =>
    ask('/mode', json('POST', {}, { 'x-api-key': value, ...more }));

  it('are not asked for where there are none', async () => {
    await start();
    assert.equal((await ask('/status')).status, 200);
    assert.equal((await ask('/status', key('whatever'))).status, 200);
  });

  it('lets in by either header', async () => {
    await start(KEYS);
    assert.equal((await ask('/status', key('look'))).status, 200);
    assert.equal((await ask('/status', { headers: { authorization: 'Bearer look' } })).status, 200);
    const { headers } = await refused(401, ask('/status'));
    assert.match(String(headers.get('www-authenticate')), /^Bearer/);
    await refused(401, ask('/status', key('looks')));
    await refused(401, ask('/status', key('')));
    await refused(401, ask('/status', { headers: { authorization: 'Basic look' } }));
    await refused(401, ask('/own'));
    await refused(401, ask('/nothing'));
  });

  it('lets everybody see health and documents', async () => {
    await start(KEYS);
    for (const path of ['/health', '/openapi.json', '/docs/', '/redoc']) {
      const answer = await ask(path);
      assert.equal(answer.status, 200, path);
      await answer.text();
    }
  });

  it('a viewer reads, an editor commands, a viewer may stop', async () => {
    await start(KEYS);
    const { problem } = await refused(403, post('look'));
    assert.match(problem.detail, /editor/);
    assert.equal((await post('edit')).status, 200);
    assert.equal((await post('boss')).status, 200);
    const { pass } = await (await ask('/estop', { method: 'POST', ...key('look') })).json();
    assert.equal(pass.role, 'viewer');
    await refused(403, ask('/own', json('POST', {}, { 'x-api-key': 'look' })));
    assert.equal((await ask('/own', key('look'))).status, 200);
  });

  it('X-Role lowers and never raises', async () => {
    await start(KEYS);
    await refused(403, post('boss', { 'x-role': 'viewer' }));
    await refused(403, post('look', { 'x-role': 'admin' }));
    await refused(400, post('boss', { 'x-role': 'god' }));
    assert.equal((await post('boss', { 'x-role': 'editor' })).status, 200);
  });

  it('X-Role says nothing where roles are off', async () => {
    await start({ ...KEYS, FEATURE_RBAC: 'false' });
    assert.equal((await post('boss', { 'x-role': 'viewer' })).status, 200);
  });

  it('are needed in production even before there is one', async () => {
    await start({ ENV: 'production' });
    await refused(401, ask('/status'));
  });

  it('tells the log who was not let in, and never the key', async () => {
    await start({ API_KEY: 'boss', API_KEYS: 'viewer:look' });
    await refused(401, ask('/status?key=guessed', { headers: { 'x-api-key': 'guessed' } }));
    await refused(403, ask('/mode', json('POST', {}, { 'x-api-key': 'look' })));
    const lines = guard.log.entries.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      lines.map(({ status, path, client, detail }) => [status, path, client, detail]),
      [
        [401, '/status', '127.0.0.1', 'This key is not known here.'],
        [403, '/mode', '127.0.0.1', 'POST /mode takes the role editor; this key has viewer.'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(guard.log.entries), /guessed|"look"|boss/);
  });

  it('tells the log so much of who was not let in, and no more, but all of those who were', async () => {
    let time = 0;
    await start(KEYS, { times: { now: () => time } });
    const told = (wanted: string) => guard.log.entries.filter(({ level }) => level === wanted);
    for (let n = 0; n < 120; n++) await (await ask(`/status/${'x'.repeat(5000)}`)).arrayBuffer();
    assert.equal(told('warn').length, 100);
    assert.ok(told('warn').every((line) => JSON.stringify(line).length < 1500));
    assert.equal((await guard.askFrom('127.0.0.2', 'GET', '/status')).status, 401);
    assert.equal(told('warn').length, 101);
    for (let n = 0; n < 3; n++) await refused(400, ask('/mode', json('POST', '{', { 'x-api-key': 'edit' })));
    assert.equal(told('info').length, 3);
    time = 6000;
    for (let n = 0; n < 2; n++) await refused(401, ask('/status'));
    assert.equal(told('warn').length, 102);
  });

  describe('are guessed', () => {
    let time: number;
    const begin = (variables: Record<string, string> = { API_KEY: 'boss', API_KEYS: 'viewer:look' }) => {
      time = 0;
      return start(variables, { times: { now: () => time } });
    };
    const ask = (key: string, path = '/status', method = 'GET') => ({ method, path, headers: { 'x-api-key': key } });
    /** The statuses of requests, one after the other, from an address. */
    async function from(address: string, ...asked: ReturnType<typeof ask>[]) {
      const answers = [];
      for (const { method, path, headers } of asked) answers.push(await guard.askFrom(address, method, path, headers));
      return answers;
    }
    const statuses = async (address: string, ...asked: ReturnType<typeof ask>[]) =>
      (await from(address, ...asked)).map(({ status }) => status);
    const guesses = (count: number) => Array.from({ length: count }, (_, n) => ask(`guess-${n}`));

    it('ten times a minute and no more, and a right one is not looked at then', async () => {
      await begin();
      assert.deepEqual(new Set(await statuses('127.0.0.1', ...guesses(10))), new Set([401]));
      const [answer] = await from('127.0.0.1', ask('guess'));
      assert.deepEqual([answer?.status, answer?.headers['retry-after']], [429, '6']);
      assert.deepEqual(await statuses('127.0.0.1', ask('boss'), ask('boss', '/estop', 'POST')), [429, 429]);
      time = 5999;
      assert.deepEqual(await statuses('127.0.0.1', ask('boss')), [429]);
      time = 6000;
      assert.deepEqual(await statuses('127.0.0.1', ask('boss'), ask('guess'), ask('boss')), [200, 401, 200]);
      time = 90_000;
      assert.deepEqual(await statuses('127.0.0.1', ...guesses(11)), [...Array(10).fill(401), 429]);
    });

    it('by one address, which locks out no other', async () => {
      await begin();
      await statuses('127.0.0.1', ...guesses(11));
      assert.deepEqual(await statuses('127.0.0.2', ask('boss'), ask('guess')), [200, 401]);
    });

    it('by somebody who shares the address of one whose key was accepted, and who goes on with it', async () => {
      await begin();
      assert.deepEqual(await statuses('127.0.0.1', ask('look')), [200]);
      await statuses('127.0.0.1', ...guesses(10));
      assert.deepEqual(await statuses('127.0.0.1', ask('look'), ask('boss'), ask('lookk')), [200, 429, 429]);
      assert.deepEqual(await statuses('127.0.0.1', ask('look', '/mode', 'POST')), [403], 'with the role of that key');
    });

    it('but a missing key is no guess', async () => {
      await begin();
      for (let n = 0; n < 30; n++) assert.equal((await guard.askFrom('127.0.0.1', 'GET', '/status')).status, 401);
      assert.deepEqual(await statuses('127.0.0.1', ask('boss')), [200]);
    });

    it('and are told apart to their last byte', async () => {
      await begin({ API_KEY: 'clé', API_KEYS: 'viewer:look,editor:lookout' });
      const key = Buffer.from('clé').toString('latin1');
      assert.deepEqual(await statuses('127.0.0.1', ask(key), ask('look'), ask('lookout')), [200, 200, 200]);
      assert.deepEqual(
        await statuses('127.0.0.1', ...['looko', 'lookoutt', 'loo', `${key}e`].map((one) => ask(one))),
        [401, 401, 401, 401],
      );
      assert.deepEqual(await statuses('127.0.0.1', ask('look', '/mode', 'POST')), [403]);
    });

    it('as a problem that says when to come again, without a line in the log for each', async () => {
      await begin();
      await statuses('127.0.0.1', ...guesses(10));
      const { problem, headers } = await refused(429, guard.ask('/status', { headers: { 'x-api-key': 'guess' } }));
      assert.equal(problem.type, 'urn:skull:problem:too-many-requests');
      assert.equal(headers.get('retry-after'), '6');
      assert.deepEqual(
        guard.log.entries.filter(({ level, status }) => status === 429 && level !== 'debug'),
        [],
      );
    });
  });
});
