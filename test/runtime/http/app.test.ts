import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { readEnvironment } from '../../../runtime/env.ts';
import { createHttpApp } from '../../../runtime/http/app.ts';
import { keepingLog } from '../../support/ports.ts';

/** The guard in front of routes as `http in` would have them, that tell what reaches them. */
describe('the guard in front of the flows', () => {
  let server: Server;
  let base: string;
  let log: ReturnType<typeof keepingLog>;

  async function start(variables: Record<string, string> = {}, { ready = true, editor = false } = {}): Promise<void> {
    log = keepingLog();
    const httpNode = express();
    const tell = (req: Request) => ({ body: req.body, pass: Reflect.get(req, 'skull') });
    const app = createHttpApp({
      env: readEnvironment({ HOST: '127.0.0.1', ...variables }),
      log,
      redHttpNode: httpNode,
      redHttpAdmin: editor ? express().get('/', (_req, res) => res.send('the editor')) : undefined,
      isReady: () => ready,
    });
    for (const path of ['/health', '/status', '/mode', '/config/:section', '/own']) {
      httpNode.get(path, (req, res) => res.json(tell(req)));
      httpNode.post(path, (req, res) => res.json(tell(req)));
      httpNode.patch(path, (req, res) => res.json(tell(req)));
    }
    httpNode.post('/estop', (req, res) => res.json(tell(req)));
    httpNode.get('/broken', () => {
      throw new Error('a secret');
    });
    server = createServer({ requireHostHeader: false }, app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = (path: string, init: RequestInit = {}) => fetch(base + path, { redirect: 'manual', ...init });
  const json = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

  /** Expects problem details with this status. */
  async function refused(status: number, answer: Response | Promise<Response>) {
    const answered = await answer;
    const { headers } = answered;
    assert.equal(answered.status, status);
    assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const problem = await answered.json();
    assert.equal(problem.status, status);
    assert.equal(problem.request_id, headers.get('x-request-id'));
    assert.doesNotMatch(JSON.stringify(problem), /secret|node_modules|\.ts:/);
    return { problem, headers };
  }

  describe('request ids and headers', () => {
    it('echoes a sane id and makes one otherwise', async () => {
      await start();
      const id = async (given: string) =>
        (await ask('/status', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
      assert.equal(await id('abc-1.2:3'), 'abc-1.2:3');
      for (const given of ['', 'a b', 'x'.repeat(129), '<script>'])
        assert.match(String(await id(given)), /^[\da-f-]{36}$/);
      const { pass } = await (await ask('/status', { headers: { 'x-request-id': 'mine' } })).json();
      assert.deepEqual(pass, { id: 'mine', role: 'admin' });
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

  describe('keys and roles', () => {
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
  });

  describe('bodies', () => {
    it('are parsed once, where the operation takes one', async () => {
      await start();
      assert.deepEqual((await (await ask('/mode', json('POST', { mode: 'IA' }))).json()).body, { mode: 'IA' });
      assert.equal((await (await ask('/estop', { method: 'POST' })).json()).body, undefined);
      const form = { method: 'POST', body: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
      assert.equal((await (await ask('/estop', form)).json()).body, undefined);
    });

    it('that are not JSON are refused', async () => {
      await start();
      for (const body of ['{', '{"a":1}}', '\0']) {
        const { problem } = await refused(400, ask('/mode', json('POST', body)));
        assert.equal(problem.type, 'urn:skull:problem:malformed');
      }
    });

    it('that are JSON but no object are for the schema to refuse, and null is not taken for nothing', async () => {
      await start();
      for (const body of ['"IA"', '7', 'true']) {
        assert.equal((await (await ask('/mode', json('POST', body))).json()).body, JSON.parse(body));
      }
      const { problem } = await refused(400, ask('/estop', json('POST', 'null')));
      assert.equal(problem.type, 'urn:skull:problem:invalid');
      assert.deepEqual(problem.errors, [{ path: '', message: 'is null' }]);
    });

    it('of another type are refused, but a merge patch is taken as one', async () => {
      await start();
      for (const type of ['text/plain', 'application/xml', 'application/merge-patch+json', 'application/json5']) {
        await refused(415, ask('/mode', json('POST', '{}', { 'content-type': type })));
      }
      await refused(415, ask('/mode', json('POST', '{}', { 'content-type': 'application/json; charset=latin-9' })));
      await refused(415, ask('/mode', json('POST', '{}', { 'content-encoding': 'rot13' })));
      for (const type of ['application/merge-patch+json', 'Application/JSON; charset=utf-8']) {
        const answer = await ask('/config/gaze', json('PATCH', { a: null }, { 'content-type': type }));
        assert.deepEqual((await answer.json()).body, { a: null });
      }
    });

    it('that are too large are refused before they are read, also in pieces', async () => {
      await start();
      const text = JSON.stringify({ mode: 'x'.repeat(300_000) });
      const { headers } = await refused(413, ask('/mode', json('POST', text)));
      assert.equal(headers.get('connection'), 'close');
      const pieces = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        },
      });
      const chunked: RequestInit & { duplex: 'half' } = {
        method: 'POST',
        body: pieces,
        duplex: 'half',
        headers: { 'content-type': 'application/json' },
      };
      await refused(413, ask('/mode', chunked));
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
        new Promise((resolve) => request(`${base}`, { path }, (res) => resolve(res.resume().statusCode)).end());
      assert.equal(await status('http://elsewhere/status'), 401);
      assert.equal(await status('/%73tatus'), 401);
      assert.equal(await status('/health/../status'), 401);
    });

    it('need the header Host', async () => {
      await start();
      const status = new Promise((resolve) =>
        request(`${base}/status`, { setHost: false }, (res) =>
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
      assert.equal(await (await ask('/editor/')).text(), 'the editor');
    });
  });

  it('asks to come again until the flows run', async () => {
    await start({}, { ready: false });
    const { headers } = await refused(503, ask('/status'));
    assert.equal(headers.get('retry-after'), '1');
    await refused(503, ask('/health'));
    assert.equal((await ask('/openapi.json')).status, 200);
  });

  it('tells the log, not the caller, why something failed', async () => {
    await start();
    await refused(500, ask('/broken'));
    const line = log.entries.find(({ level }) => level === 'error');
    assert.match(String(line?.error), /a secret/);
  });

  it('tells the log who was not let in, and never the key', async () => {
    await start({ API_KEY: 'boss', API_KEYS: 'viewer:look' });
    await refused(401, ask('/status?key=guessed', { headers: { 'x-api-key': 'guessed' } }));
    await refused(403, ask('/mode', json('POST', {}, { 'x-api-key': 'look' })));
    const lines = log.entries.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      lines.map(({ status, path, client, detail }) => [status, path, client, detail]),
      [
        [401, '/status', '127.0.0.1', 'This key is not known here.'],
        [403, '/mode', '127.0.0.1', 'POST /mode takes the role editor; this key has viewer.'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(log.entries), /guessed|"look"|boss/);
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
      assert.equal((await ask('/estop', { method: 'POST', ...from(base) })).status, 200);
    });

    /** The status that a page at `http://<host>` gets for an emergency stop. */
    const stopFrom = (host: string) =>
      new Promise((resolve) => {
        const headers = { host, origin: `http://${host}` };
        request(`${base}/estop`, { method: 'POST', headers }, (res) => resolve(res.resume().statusCode)).end();
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
      server.close();
      await start({ API_KEY: 'boss', REQUIRE_API_KEY: 'false', HOST: 'Skull.home' });
      assert.equal(await stopFrom('skull.home:8080'), 200);
      assert.equal(await stopFrom('other.home:8080'), 403);
    });

    it('get no WebSocket', async () => {
      await start({}, { editor: true });
      const status = (origin: string) =>
        new Promise((resolve) => {
          const headers = { origin, connection: 'Upgrade', upgrade: 'WebSocket' };
          request(`${base}/editor/`, { headers }, (res) => resolve(res.resume().statusCode)).end();
        });
      assert.equal(await status('http://evil.example'), 403);
      assert.equal(await status(base), 200);
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
        const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part = '']) => new URL(part, base + page));
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
