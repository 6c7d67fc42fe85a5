import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../../adapters/files/package-root.ts';
import { startRestServer } from '../../support/rest-server-process.ts';

const at = { z: 'own', x: 100, y: 100 };
const entrance = (url: string, method: string, to: string) => [
  { ...at, id: `in-${to}`, type: 'http in', name: '', url, method, upload: url === '/own/form', wires: [[to]] },
];
const OWN = [
  { id: 'own', type: 'tab', label: 'Own', disabled: false, info: '' },
  ...entrance('/own/echo', 'post', 'answer'),
  ...entrance('/own/form', 'post', 'form'),
  ...entrance('/own/status', 'get', 'status'),
  { ...at, id: 'form', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
  { ...at, id: 'answer', type: 'http response', name: '', statusCode: '', headers: {}, wires: [] },
  { ...at, id: 'status', type: 'function', func: 'msg.statusCode = 418; return msg;', outputs: 1, wires: [['answer']] },
];

/** What comes out of Node-RED's own nodes, in flows that somebody has put beside ours. */
describe('flows of the user behind the guard', () => {
  let flows: string;
  let server: Awaited<ReturnType<typeof startRestServer>>;

  before(async function () {
    this.timeout(60_000);
    flows = mkdtempSync(path.join(tmpdir(), 'skull-own-'));
    cpSync(path.join(PACKAGE_ROOT, 'flows'), flows, { recursive: true });
    writeFileSync(path.join(flows, '900-own.json'), `${JSON.stringify(OWN, null, 2)}\n`);
    server = await startRestServer({ FLOWS_DIR: flows });
  });
  after(async () => {
    await server?.stop();
    rmSync(flows, { recursive: true, force: true });
  });

  const post = (url: string, body: string | FormData, type?: string, more: Record<string, string> = {}) =>
    fetch(server.base + url, {
      method: 'POST',
      body,
      headers: { ...(type !== undefined && { 'content-type': type }), ...more },
    });

  it('answer as they like', async () => {
    const answer = await post('/own/echo', '{"a":1}', 'application/json');
    assert.deepEqual([answer.status, await answer.json()], [200, { a: 1 }]);
    const form = new FormData();
    form.set('word', 'boo');
    assert.equal((await post('/own/form', form)).status, 200);
    assert.equal((await fetch(`${server.base}/own/status`)).status, 418);
  });

  it('keep no more of what comes in pieces than there is room for', async () => {
    const piece = new TextEncoder().encode('x'.repeat(2 ** 20));
    const start = new TextEncoder().encode('--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n');
    const send = (url: string, type: string) => {
      const body = new ReadableStream({
        start(controller) {
          for (const part of [start, ...Array(40).fill(piece)]) controller.enqueue(part);
          controller.close();
        },
      });
      const headers = { 'content-type': type };
      const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
      return fetch(server.base + url, init);
    };
    for (const [url, type] of [
      ['/own/form', 'multipart/form-data; boundary=x'],
      ['/own/echo', 'text/plain'],
    ] as const) {
      let answer = await send(url, type);
      // The one before it may not be gone yet.
      while (answer.status === 503) answer = await send(url, type);
      assert.deepEqual([answer.status, (await answer.json()).type], [413, 'urn:skull:problem:too-large'], url);
    }
  });

  it('are not to blame for a form that breaks off with its connection', async () => {
    const headers = {
      'content-type': 'multipart/form-data; boundary=x',
      'content-length': 100,
      'x-request-id': 'gone',
    };
    const asked = request(`${server.base}/own/form`, { method: 'POST', headers }).on('error', () => {});
    await new Promise((resolve) => asked.write('--x\r\n', resolve));
    // Somebody who reads it is needed.
    await fetch(`${server.base}/health`);
    asked.destroy();
    for (;;) {
      const log = readFileSync(path.join(server.home, 'logs/orchestrator.log'), 'utf8').split('\n');
      const line = log.find((one) => one.includes('"request_id":"gone"'));
      if (line !== undefined) {
        assert.equal(JSON.parse(line).status, 400);
        return;
      }
      await fetch(`${server.base}/health`);
    }
  });

  for (const [what, status, url, body, type, more] of [
    ['JSON that is none', 400, '/own/echo', '{', 'application/json', {}],
    ['JSON that is too large', 413, '/own/echo', `"${'x'.repeat(6_000_000)}"`, 'application/json', {}],
    [
      'a form that is too large',
      413,
      '/own/echo',
      `a=${'x'.repeat(6_000_000)}`,
      'application/x-www-form-urlencoded',
      {},
    ],
    ['an unknown character set', 415, '/own/echo', '{}', 'application/json; charset=klingon', {}],
    ['an unknown encoding', 415, '/own/echo', '{}', 'application/json', { 'content-encoding': 'rot13' }],
    ['a type that is none', 415, '/own/echo', 'x', 'no type', {}],
    ['a form that breaks off', 400, '/own/form', '--x\r\n', 'multipart/form-data; boundary=x', {}],
    ['a form without a boundary', 400, '/own/form', 'x', 'multipart/form-data', {}],
  ] as const) {
    it(`refuse ${what} with a problem`, async () => {
      const answer = await post(url, body, type, more);
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
      const problem = JSON.parse(text);
      assert.deepEqual([problem.status, problem.instance], [status, url]);
      assert.equal(problem.request_id, answer.headers.get('x-request-id'));
      assert.doesNotMatch(text, /node_modules|\.js:/);
    });
  }
});
