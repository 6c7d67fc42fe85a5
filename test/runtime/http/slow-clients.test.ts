import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createHttpServer, type ServerLimits } from '../../../runtime/http/server.ts';

/** Clients that send or read too slowly, each over a socket of its own; the server is one for the hasty. */
describe('a slow client', () => {
  let server: Server;
  let sockets: Socket[];

  const HASTY = { headersMs: 100, requestMs: 200, checkMs: 20, idleMs: 100, restMs: 100, unreadMs: 100 };
  const answerAtOnce: RequestListener = (_req, res) => void res.end('well');

  async function start(limits: Partial<ServerLimits> = {}, answer = answerAtOnce): Promise<void> {
    server = createHttpServer(answer, () => false, { ...HASTY, ...limits }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  beforeEach(() => {
    sockets = [];
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  function client(bytes: string): Socket {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    sockets.push(socket);
    return socket;
  }
  /** All that comes until the server closes. */
  async function read(socket: Socket): Promise<string> {
    let all = '';
    socket.on('data', (piece) => {
      all += piece;
    });
    // `once` would take a reset for a failure.
    await new Promise((resolve) => socket.once('close', resolve));
    return all;
  }
  /** Sends a byte again and again, until the server closes. */
  function drip(socket: Socket, byte: string): Socket {
    const timer = setInterval(() => socket.write(byte), 10);
    socket.once('close', () => clearInterval(timer));
    return socket;
  }

  it('who sends one header after the other gets a problem in the end', async () => {
    await start({ requestMs: 60_000 });
    const all = await read(drip(client('GET / HTTP/1.1\r\nHost: x\r\n'), 'X: y\r\n'));
    assert.match(
      all,
      /^HTTP\/1\.1 408 [\s\S]*application\/problem\+json[\s\S]*"type":"urn:skull:problem:request-timeout"/,
    );
  });

  it('who sends nothing at all is not waited for', async () => {
    await start({ requestMs: 60_000 });
    await read(client(''));
  });

  it('who holds on to a connection that is done with is not waited for', async function () {
    // Node adds a second of its own; without a limit from us it would be six.
    this.timeout(4000);
    await start();
    const all = await read(client('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    assert.match(all, /^HTTP\/1\.1 200 [\s\S]*well$/);
  });

  for (const [what, headers] of [
    ['a body', 'Content-Length: 1000'],
    ['a body in pieces', 'Transfer-Encoding: chunked'],
  ]) {
    it(`who was answered and does not send the rest of ${what} is not waited for`, async () => {
      await start({ requestMs: 60_000 });
      const all = await read(drip(client(`POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`), '1\r\nx\r\n'));
      assert.match(all, /^HTTP\/1\.1 200 [\s\S]*well/);
    });
  }

  it('who sends the rest of an answered request in time keeps the connection', async () => {
    await start({ restMs: 50, idleMs: 400 });
    const socket = client('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n');
    await once(socket, 'data');
    socket.write('{}');
    const closed = once(socket, 'close').then(() => 'closed');
    const later = new Promise((resolve) => setTimeout(() => resolve('open'), 150));
    assert.equal(await Promise.race([closed, later]), 'open');
  });

  it('who does not read an answer is given up, however much of it waits', async () => {
    let ended = false;
    await start({}, (_req, res) => {
      res.once('close', () => {
        ended = true;
        server.emit('given up');
      });
      res.end(Buffer.alloc(50_000_000));
    });
    const socket = client('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.pause();
    await once(server, 'given up');
    assert.ok(ended);
  });

  it('who reads an answer slowly, but reads, gets it', async function () {
    this.timeout(20_000);
    const size = 30_000_000;
    await start({ unreadMs: 300 }, (_req, res) => void res.end(Buffer.alloc(size)));
    const socket = client('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let bytes = 0;
    socket.on('data', (piece) => {
      bytes += piece.length;
      socket.pause();
      setTimeout(() => socket.resume(), piece.length / 30_000);
    });
    const began = performance.now();
    await once(socket, 'close');
    assert.ok(bytes > size, `${bytes} bytes`);
    assert.ok(performance.now() - began > 600, 'longer than anybody is waited for who does not read');
  });

  it('of an answer without an end is left alone', async () => {
    await start({}, (_req, res) => void res.write('well'));
    const socket = client('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const closed = once(socket, 'close').then(() => 'closed');
    const later = new Promise((resolve) => setTimeout(() => resolve('open'), 400));
    assert.equal(await Promise.race([closed, later]), 'open');
  });

  it('is refused where there are too many', async () => {
    await start({ connections: 2, headersMs: 5000, requestMs: 5000 });
    for (const socket of [client('G'), client('G')]) await once(socket, 'connect');
    assert.equal(await read(client('GET / HTTP/1.1\r\nHost: x\r\n\r\n')), '');
  });
});
