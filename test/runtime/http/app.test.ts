import assert from 'node:assert/strict';
import { request } from 'node:http';
import { useGuard } from '../../support/guard.ts';

describe('the guard in front of the flows', () => {
  const guard = useGuard();
  const { start, ask, json, refused } = guard;

  describe('request ids and headers', () => {
    it('echoes a sane id and makes one otherwise', async () => {
      await start();
      const id = async (given: string) =>
        (await ask('/status', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
      assert.equal(await id('abc-1.2:3'), 'abc-1.2:3');
      for (const given of ['', 'a b', 'x'.repeat(129), '<script>'])
        assert.match(String(await id(given)), /^[\da-f-]{36}$/);
      const { pass } = await (await ask('/status', { headers: { 'x-request-id': 'mine' } })).json();
      assert.deepEqual([pass.id, pass.role, pass.since > 0], ['mine', 'admin', true]);
    });

    it('are those of helmet on answers and on problems, and let no page be made of them', async () => {
      await start();
      for (const path of ['/status', '/nothing', '/broken', '/config/%ff']) {
        const { headers } = await ask(path);
        assert.equal(headers.get('content-security-policy'), "default-src 'none';frame-ancestors 'none'", path);
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
        assert.equal(headers.get('strict-transport-security'), null);
      }
    });

    it('leave the editor and the flows of the user their pages', async () => {
      await start({}, { editor: true });
      const editor = (await ask('/editor/')).headers;
      assert.deepEqual(
        [editor.get('content-security-policy'), editor.get('x-frame-options'), editor.get('x-content-type-options')],
        [null, 'SAMEORIGIN', 'nosniff'],
      );
      const own = (await ask('/own')).headers;
      assert.deepEqual([own.get('content-security-policy'), own.get('x-content-type-options')], [null, 'nosniff']);
    });

    it('name a time zone for the flows, where there is one of this name', async () => {
      await start();
      const zone = async (name: string) =>
        (await (await ask('/status', { headers: { 'x-timezone': name } })).json()).pass.timezone;
      assert.equal(await zone('Europe/Paris'), 'Europe/Paris');
      assert.equal(await zone('europe/paris'), 'Europe/Paris');
      for (const name of ['Europe/Nowhere', '', 'Europe/Paris, UTC', 'x'.repeat(5000)]) {
        const { problem } = await refused(400, ask('/status', { headers: { 'x-timezone': name } }));
        assert.equal(problem.type, 'urn:skull:problem:invalid');
        assert.equal(problem.errors[0].path, 'X-Timezone');
      }
    });

    it('says nothing of what it is made of, and lets nothing be kept', async () => {
      await start();
      const { headers } = await ask('/status');
      assert.equal(headers.get('x-powered-by'), null);
      assert.equal(headers.get('etag'), null);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cache-control'), 'no-store');
    });
  });

  describe('places', () => {
    it('that are unknown answer 404', async () => {
      await start();
      const { problem } = await refused(404, ask('/nothing?x=1'));
      assert.equal(problem.instance, '/nothing');
      for (const path of ['/STATUS', '/status/', '//status', '/docs/nothing', '/redoc/../../package.json', '/editor']) {
        await refused(404, ask(path));
      }
    });

    it('that no flow serves, as during a Deploy, answer 503', async () => {
      await guard.start();
      const { headers } = await refused(503, ask('/song'));
      assert.deepEqual([headers.get('retry-after'), headers.get('allow')], ['1', null]);
    });

    it('that take another method answer 405 and say which', async () => {
      await start();
      const { headers } = await refused(405, ask('/status', { method: 'DELETE' }));
      assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS');
      const options = await ask('/config/gaze', { method: 'OPTIONS' });
      assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, PUT, PATCH, HEAD, OPTIONS']);
      assert.equal((await ask('/status', { method: 'HEAD' })).status, 200);
    });

    it('cannot be disguised', async () => {
      await start({ API_KEY: 'boss' });
      const status = (path: string) =>
        new Promise((resolve) => request(`${guard.base}`, { path }, (res) => resolve(res.resume().statusCode)).end());
      assert.equal(await status('http://elsewhere/status'), 401);
      assert.equal(await status('/%73tatus'), 401);
      assert.equal(await status('/health/../status'), 401);
      assert.equal(await status('http://elsewhere/health/../status'), 401);
      for (const path of [
        '/status#health',
        '/health#',
        'mailto:x',
        '*',
        '/sta\u00a0tus',
        'http://elsewhere:x/status',
      ]) {
        assert.equal(await status(path), 400, path);
      }
      assert.equal(await status('http://elsewhere/health'), 200);
    });

    it('need the header Host, once', async () => {
      await start();
      const twice = await guard.raw(
        'GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      );
      assert.match(twice, /^HTTP\/1\.1 400 [\s\S]*The header Host is there twice/);
      assert.match(await guard.raw('GET /health HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
      const status = new Promise((resolve) =>
        request(`${guard.base}/status`, { setHost: false }, (res) =>
          resolve([res.statusCode, res.headers['content-type']]),
        ).end(),
      );
      assert.deepEqual(await status, [400, 'application/problem+json; charset=utf-8']);
    });

    it('that are written wrongly answer 400', async () => {
      await start();
      await refused(400, ask('/config/%ff'));
    });

    it('/ leads to the documents', async () => {
      await start();
      const { status, headers } = await ask('/');
      assert.deepEqual([status, headers.get('location')], [302, '/docs']);
    });

    it('/favicon.ico is empty, for everybody', async () => {
      await start({ API_KEY: 'boss' });
      assert.equal((await ask('/favicon.ico')).status, 204);
      await refused(405, ask('/favicon.ico', { method: 'POST' }));
      assert.equal(guard.log.entries.filter(({ level }) => level === 'warn').length, 0);
    });

    it('that are pages are only read', async () => {
      await start({ API_KEY: 'boss' });
      for (const path of ['/', '/docs', '/docs/', '/redoc', '/openapi.json']) {
        for (const method of ['POST', 'PUT', 'DELETE']) {
          const { headers } = await refused(405, ask(path, { method }));
          assert.equal(headers.get('allow'), 'GET, HEAD, OPTIONS');
        }
        const options = await ask(path, { method: 'OPTIONS' });
        assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS']);
        assert.equal((await ask(path, { method: 'HEAD' })).status, path === '/' ? 302 : 200);
      }
    });

    it('/editor is the editor, where there is one, with a login of its own', async () => {
      await start({ API_KEY: 'boss' }, { editor: true });
      const answer = await ask('/editor/');
      assert.deepEqual([await answer.text(), answer.headers.get('x-powered-by')], ['the editor', null]);
    });
  });

  it('asks to come again until the flows run', async () => {
    await start({}, { ready: false });
    const { headers } = await refused(503, ask('/status'));
    assert.equal(headers.get('retry-after'), '1');
    await refused(503, ask('/health'));
    assert.equal((await ask('/openapi.json')).status, 200);
  });

  it('answers for a flow that does not', async () => {
    await start({}, { times: { answerMs: 20 } });
    const { problem } = await refused(504, ask('/silent'));
    assert.equal(problem.type, 'urn:skull:problem:timeout');
  });

  it('tells the log, not the caller, why something failed', async () => {
    await start();
    await refused(500, ask('/broken'));
    const line = guard.log.entries.find(({ level }) => level === 'error');
    assert.match(String(line?.error), /a secret/);
  });

  describe('pages of other origins', () => {
    const ALLOWED = 'http://localhost:5173';
    const from = (origin: string, more: Record<string, string> = {}) => ({ headers: { origin, ...more } });

    it('that are allowed may read and command', async () => {
      await start();
      const { status, headers } = await ask('/status', from(ALLOWED));
      assert.deepEqual(
        [status, headers.get('access-control-allow-origin'), headers.get('vary')],
        [200, ALLOWED, 'Origin'],
      );
      assert.equal((await ask('/mode', json('POST', {}, { origin: ALLOWED }))).status, 200);
    });

    it('are told beforehand what they may, without a key', async () => {
      await start({ API_KEY: 'boss' });
      const preflight = await ask('/mode', {
        method: 'OPTIONS',
        ...from(ALLOWED, { 'access-control-request-method': 'POST' }),
      });
      assert.equal(preflight.status, 204);
      assert.match(String(preflight.headers.get('access-control-allow-headers')), /X-API-Key/);
      assert.match(String(preflight.headers.get('access-control-allow-headers')), /Last-Event-ID/);
      assert.match(String(preflight.headers.get('access-control-allow-methods')), /PATCH/);
    });

    it('that are not allowed get no leave to read, and may change nothing', async () => {
      await start();
      for (const origin of ['http://evil.example', 'null', `${ALLOWED}.evil.example`]) {
        assert.equal((await ask('/status', from(origin))).headers.get('access-control-allow-origin'), null);
        await refused(403, ask('/estop', { method: 'POST', ...from(origin) }));
        await refused(
          403,
          ask('/estop', { method: 'OPTIONS', ...from(origin, { 'access-control-request-method': 'POST' }) }),
        );
      }
    });

    it('does not mean our own', async () => {
      await start();
      assert.equal((await ask('/estop', { method: 'POST', ...from(guard.base) })).status, 200);
    });

    /** The status that a page at `http://<host>` gets for an emergency stop. */
    const stopFrom = (host: string) =>
      new Promise((resolve) => {
        const headers = { host, origin: `http://${host}` };
        request(`${guard.base}/estop`, { method: 'POST', headers }, (res) => resolve(res.resume().statusCode)).end();
      });

    it('may call themselves ours only by a name that is, while no key is needed', async () => {
      await start({ HOST: 'localhost' });
      for (const own of ['localhost:8080', 'skull.localhost', '127.0.0.1:8080', '192.168.1.7', '[::1]:8080']) {
        assert.equal(await stopFrom(own), 200, own);
      }
      for (const other of ['evil.example:8080', 'localhost.evil.example', '127.0.0.1.evil.example', '']) {
        assert.equal(await stopFrom(other), 403, other);
      }
    });

    it('may have any name that leads here where a key is needed, or the one we listen on', async () => {
      await start({ API_KEY: 'boss' });
      assert.equal(await stopFrom('skull.home:8080'), 401);
      await start({ API_KEY: 'boss', REQUIRE_API_KEY: 'false', HOST: 'Skull.home' });
      assert.equal(await stopFrom('skull.home:8080'), 200);
      assert.equal(await stopFrom('other.home:8080'), 403);
    });

    it('read nothing at a name of theirs that leads here, while no key is needed', async () => {
      const read = (host: string) =>
        new Promise((resolve) => {
          request(`${guard.base}/status`, { headers: { host } }, (res) => resolve(res.resume().statusCode)).end();
        });
      await start({ ALLOWED_ORIGINS: 'http://skull.home' });
      for (const own of ['localhost:8080', '127.0.0.1:8080', '[::ffff:127.0.0.1]', 'skull:8080', 'skull.home']) {
        assert.deepEqual([await read(own), await read(own)], [200, 200], own);
      }
      for (const other of ['evil.example:8080', 'localhost.evil.example', 'skull.home.evil.example']) {
        assert.equal(await read(other), 403, other);
      }
      await start({ API_KEY: 'boss' });
      assert.equal(await read('evil.example'), 401);
    });

    it('get no WebSocket', async () => {
      await start({}, { editor: true });
      const status = (origin: string) =>
        new Promise((resolve) => {
          const headers = { origin, connection: 'Upgrade', upgrade: 'WebSocket' };
          request(`${guard.base}/editor/`, { headers }, (res) => resolve(res.resume().statusCode)).end();
        });
      assert.equal(await status('http://evil.example'), 403);
      assert.equal(await status(guard.base), 200);
      assert.equal(await status(ALLOWED), 200);
    });
  });

  describe('documents', () => {
    it('are the OpenAPI document and two viewers that load nothing from elsewhere', async () => {
      await start();
      assert.equal((await (await ask('/openapi.json')).json()).openapi, '3.1.0');
      for (const path of [
        '/docs',
        '/docs/',
        '/docs/swagger-ui-init.js',
        '/redoc',
        '/redoc/',
        '/redoc/start.js',
        '/redoc/redoc.standalone.js',
      ]) {
        const answer = await ask(path);
        assert.equal(answer.status, 200, path);
        assert.match(String(answer.headers.get('content-security-policy')), /default-src 'none'/);
        const text = await answer.text();
        assert.doesNotMatch(text, /(src|href)=["']?https?:|cdn\.redoc/);
      }
    });

    it('find what they are made of', async () => {
      await start();
      for (const page of ['/docs', '/docs/', '/redoc']) {
        const text = await (await ask(page)).text();
        const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
          ([, part = '']) => new URL(part, guard.base + page),
        );
        const local = parts.filter(({ protocol }) => protocol === 'http:');
        assert.ok(local.length >= 2, page);
        for (const part of local) {
          const answer = await ask(part.pathname);
          await answer.text();
          assert.equal(answer.status, 200, part.href);
        }
      }
    });
  });
});
