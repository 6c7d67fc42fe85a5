import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { SkullError } from '../../../core/model/errors.ts';
import { BodyRoom } from '../../../runtime/http/body-room.ts';
import { useGuard } from '../../support/guard.ts';

describe('the room for bodies that others read', () => {
  let server: Server;
  let sockets: Socket[];
  /** What the last reader was given, and the codes of those that were refused. */
  let read: number;
  let refused: string[];
  /** Readers answer when they are told to. */
  let answers: (() => void)[];

  async function start(bytes: number, bodyMs = 60_000): Promise<void> {
    const room = new BodyRoom(bytes, { bodyMs });
    server = createServer((req, res) => {
      const refuse = ({ code }: SkullError) => {
        refused.push(code);
        res.end(code);
        server.emit('refused');
      };
      answers.push(() => res.end('well'));
      room.admit(req, res, refuse);
      take(req);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  function take(req: IncomingMessage): void {
    read = 0;
    req.on('data', (piece: Buffer) => {
      read += piece.length;
      server.emit('read');
    });
    req.on('end', () => server.emit('ended'));
  }
  beforeEach(() => {
    [sockets, refused, answers] = [[], [], []];
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  function send(headers: string, body: string): Socket {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`);
    sockets.push(socket);
    return socket;
  }
  const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;

  it('gives what there is room for to whoever reads it', async () => {
    await start(100);
    send('Transfer-Encoding: chunked', `${chunk(60)}${chunk(40)}0\r\n\r\n`);
    await once(server, 'ended');
    assert.deepEqual([read, refused], [100, []]);
  });

  it('throws away what is too large, and says so once', async () => {
    await start(100);
    const socket = send('Transfer-Encoding: chunked', `${chunk(60)}${chunk(41)}${chunk(60)}`);
    await once(server, 'refused');
    socket.write(`${chunk(1)}0\r\n\r\n`);
    await once(server, 'ended');
    assert.deepEqual([read, refused], [60, ['too_large']]);
  });

  it('is shared by all that are not answered yet', async () => {
    await start(100);
    const [first] = [send('Content-Length: 60', 'x'.repeat(60)), await once(server, 'ended')];
    send('Content-Length: 60', 'x'.repeat(60));
    await once(server, 'refused');
    assert.deepEqual([read, refused], [0, ['unavailable']]);
    const answered = once(first, 'data');
    answers[0]?.();
    await answered;
    send('Content-Length: 100', 'x'.repeat(100));
    await once(server, 'ended');
    assert.deepEqual([read, refused], [100, ['unavailable']]);
  });

  it('is given back by who goes away', async () => {
    await start(100);
    const [gone] = [send('Content-Length: 100', 'x'.repeat(99)), await once(server, 'read')];
    gone.destroy();
    for (let tried = 0; refused.length === tried; tried++) {
      const settled = Promise.race([once(server, 'ended'), once(server, 'refused')]);
      send('Content-Length: 100', 'x'.repeat(100));
      await settled;
      if (read === 100) return;
    }
    assert.fail('it is not');
  });

  it('is not kept for who sends too slowly', async () => {
    await start(100, 50);
    send('Content-Length: 100', 'x');
    await once(server, 'refused');
    assert.deepEqual(refused, ['request_timeout']);
  });
});

describe('bodies on their way to others than ourselves', () => {
  const guard = useGuard();
  /** The status for a request of whose body one byte comes. */
  const statusOf = (method: string, path: string, bytes: number) =>
    new Promise((resolve, reject) => {
      const asked = request(guard.base + path, { method, headers: { 'content-length': bytes } }, (res) => {
        resolve(res.statusCode);
        asked.destroy();
      });
      asked.once('error', reject).write('x');
    });

  it('are refused before they come where they are too large', async () => {
    await guard.start({}, { editor: true });
    assert.equal(await statusOf('POST', '/own', 32 * 2 ** 20 + 1), 413);
    assert.equal(await statusOf('POST', '/editor/', 16 * 2 ** 20 + 1), 413);
  });

  it('are not waited for for ever', async () => {
    await guard.start({}, { editor: true, times: { bodyMs: 50 } });
    assert.equal(await statusOf('GET', '/silent', 10), 408);
  });
});
