import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express, { type ErrorRequestHandler, type Request } from 'express';
import { readEnvironment } from '../../runtime/env.ts';
import { createHttpApp, type HttpAppOptions } from '../../runtime/http/app.ts';
import { createHttpServer } from '../../runtime/http/server.ts';
import { keepingLog } from './ports.ts';

interface Started {
  ready?: boolean;
  editor?: boolean;
  times?: HttpAppOptions['times'];
}

async function* nothing(): AsyncGenerator<string> {}

/** The guard in front of routes as `http in` would have them, that tell what reaches them; for one `describe`. */
export function useGuard() {
  let server: Server | undefined;
  let base = '';
  let log = keepingLog();

  const stop = () => {
    server?.closeAllConnections();
    server?.close();
  };
  afterEach(stop);

  async function start(variables: Record<string, string> = {}, { ready = true, editor = false, times }: Started = {}) {
    stop();
    log = keepingLog();
    const httpNode = express();
    const tell = (req: Request) => ({ body: req.body, pass: Reflect.get(req, 'skull') });
    const app = createHttpApp({
      env: readEnvironment({ HOST: '127.0.0.1', ...variables }),
      log,
      redHttpNode: httpNode,
      redHttpAdmin: editor
        ? express()
            .disable('x-powered-by')
            .get('/', (_req, res) => res.send('the editor'))
        : undefined,
      isReady: () => ready,
      ...(times && { times }),
    });
    for (const path of ['/health', '/status', '/mode', '/config/:section', '/own']) {
      httpNode.get(path, (req, res) => res.json(tell(req)));
      httpNode.post(path, (req, res) => res.json(tell(req)));
      httpNode.put(path, (req, res) => res.json(tell(req)));
      httpNode.patch(path, (req, res) => res.json(tell(req)));
    }
    httpNode.post('/estop', (req, res) => res.json(tell(req)));
    httpNode.post('/say', (req, res) => res.json({ length: req.body.text.length }));
    const fail = () => {
      throw new Error('a secret');
    };
    // Each route of `http in` answers errors in this way.
    const onError: ErrorRequestHandler = (_error, _req, res, _next) => void res.sendStatus(500);
    httpNode.get('/broken', fail, onError);
    httpNode.get('/silent', () => {});
    server = createHttpServer(app, () => false).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    base = `http://127.0.0.1:${port()}`;
  }

  function port(): number {
    assert.ok(server, 'it has not been started');
    return (server.address() as AddressInfo).port;
  }

  const ask = (path: string, init: RequestInit = {}) => fetch(base + path, { redirect: 'manual', ...init });
  const json = (method: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

  /** The answer to a request from another address of this machine. */
  const askFrom = (localAddress: string, method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number | undefined; headers: IncomingHttpHeaders }>((resolve, reject) => {
      const asked = request(base + path, { method, headers, localAddress, agent: false }, (res) => {
        res.resume().once('end', () => resolve({ status: res.statusCode, headers: res.headers }));
      });
      asked.once('error', reject).end();
    });

  /** All that comes back for these bytes, until the server closes; what follows is sent piece by piece, as they are called for. */
  async function raw(bytes: string, more: AsyncIterable<string> = nothing()): Promise<string> {
    let answer = '';
    const socket = connect(port(), '127.0.0.1');
    socket.on('data', (piece) => {
      answer += piece;
    });
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.write(bytes);
    for await (const piece of more) if (!socket.destroyed) socket.write(piece);
    await closed;
    return answer;
  }

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

  return {
    start,
    ask,
    askFrom,
    raw,
    json,
    refused,
    port,
    get base() {
      return base;
    },
    get log() {
      return log;
    },
  };
}
