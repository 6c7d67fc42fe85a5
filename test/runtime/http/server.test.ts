import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createHttpServer } from '../../../runtime/http/server.ts';

describe('the HTTP server', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    server = createHttpServer(
      (req, res) => {
        let body = '';
        req.on('data', (piece) => {
          body += piece;
        });
        req.on('end', () => res.setHeader('Connection', 'close').end(`${req.method} ${req.url} ${body}`));
      },
      ({ url }) => url === '/socket',
    );
    // As Node-RED does.
    server.on('upgrade', ({ headers }, socket) => {
      socket.write('upgraded');
      if (headers['x-stay'] === undefined) socket.end();
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** All that comes back for these bytes, until the server closes. */
  const answerTo = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (piece) => {
        answer += piece;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;

  it('upgrades what may be, and answers whatever else asks for it as if it had not', async () => {
    const asking = ['Host: x', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    assert.match(await answerTo(lines('GET /health HTTP/1.1', ...asking)), /^HTTP\/1\.1 200 [\s\S]*GET \/health $/);
    assert.match(
      await answerTo(`${lines('POST /estop HTTP/1.1', ...asking, 'Content-Length: 2')}{}`),
      /^HTTP\/1\.1 200 [\s\S]*POST \/estop \{\}$/,
    );
    assert.equal(await answerTo(lines('GET /socket HTTP/1.1', ...asking)), 'upgraded');
  });

  it('ends what was upgraded once it has said more than anybody has to say', async () => {
    const head = lines('GET /socket HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'X-Stay: yes');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.write(Buffer.alloc(1_000_000));
    assert.equal(socket.destroyed, false);
    socket.write(Buffer.alloc(100_000));
    await closed;
  });

  for (const [what, bytes, status, title] of [
    ['bytes that are not HTTP', lines('hello'), 400, 'Malformed request'],
    ['a method that does not exist', lines('FOO / HTTP/1.1', 'Host: x'), 400, 'Malformed request'],
    [
      'headers that are too large',
      lines('GET / HTTP/1.1', 'Host: x', `X: ${'x'.repeat(20_000)}`),
      431,
      'Request Header Fields Too Large',
    ],
    ['an expectation that cannot be met', lines('GET / HTTP/1.1', 'Host: x', 'Expect: foo'), 417, 'Expectation Failed'],
  ] as const) {
    it(`answers ${what} with a problem`, async () => {
      const answer = await answerTo(bytes);
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      assert.ok(head.startsWith(`HTTP/1.1 ${status} `), head);
      assert.match(head, /\r\nContent-Type: application\/problem\+json; charset=utf-8(\r\n|$)/);
      assert.match(head, new RegExp(`\r\nContent-Length: ${Buffer.byteLength(body)}(\r\n|$)`));
      const problem = JSON.parse(body);
      assert.deepEqual([problem.status, problem.title], [status, title]);
      assert.match(head, new RegExp(`\r\nX-Request-ID: ${problem.request_id}(\r\n|$)`));
      assert.notEqual(problem.detail, '');
    });
  }
});
