import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PROBLEM_TYPE } from '../../core/model/problem.ts';
import { pathOf } from '../../core/skull/operations/pass.ts';
import { sendProblem, wireProblem } from './problems.ts';

export interface ServerLimits {
  /** A request's headers have to come within so many ms, a whole request within so many. */
  headersMs: number;
  requestMs: number;
  /** How often both are looked at, in ms. */
  checkMs: number;
  /** So long may a connection wait for its next request, and what is left of one that is answered already may still come. */
  idleMs: number;
  restMs: number;
  /** An answer of which nothing is read for so long is given up. */
  unreadMs: number;
  connections: number;
}

const LIMITS: ServerLimits = {
  headersMs: 10_000,
  // 50 MB over a weak wireless network, not more.
  requestMs: 30 * 60_000,
  checkMs: 5000,
  idleMs: 5000,
  restMs: 10_000,
  unreadMs: 30_000,
  // A thousand readers of events, and as many others.
  connections: 2000,
};

/** All that an editor says over its WebSocket in a long life; the library that reads it would take 100 MB, of strangers too. */
const SOCKET_BYTES = 2 ** 20;

/** Why Node gave a request up, where it is not simply malformed. */
const GIVEN_UP: Readonly<Record<string, [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are larger than is accepted here.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are larger than is accepted here.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come to its end in time.'],
};

/** Answers what could not be read as a request: there is no more of it than its socket. */
function answerUnread(error: Error & { code?: string; reason?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = GIVEN_UP[error.code ?? ''] ?? [400, `This is not HTTP: ${error.reason ?? error.message}.`];
  const problem = wireProblem(status, detail, '', randomUUID());
  const text = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-ID: ${problem.request_id}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

function refuseExpectation(req: IncomingMessage, res: ServerResponse): void {
  const detail = `"Expect: ${req.headers.expect}" cannot be met here: only 100-continue can.`;
  res.setHeader('Connection', 'close');
  sendProblem(res, wireProblem(417, detail, pathOf(req.url ?? ''), randomUUID()), req.method);
}

/**
 * Before Node 22.21 whatever asks for an upgrade gets one as soon as anybody listens for upgrades: such a request is
 * then answered here, as one without a body.
 */
function answerInstead(server: Server, mayUpgrade: (req: IncomingMessage) => boolean, answer: RequestListener): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  server.emit = (event: string, ...args: unknown[]): boolean => {
    const [req, socket] = args as [IncomingMessage, Socket];
    if (event !== 'upgrade' || mayUpgrade(req)) return emit(event, ...args);
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => socket.end());
    answer(req, res);
    return true;
  };
}

export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** Ends the connection of whoever does not send the rest of a request that has been answered. */
function awaitRest(req: IncomingMessage, res: ServerResponse, restMs: number): void {
  res.once('finish', () => {
    if (req.complete) return;
    const timer = setTimeout(() => req.destroy(), restMs);
    req.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  });
}

/** Ends the connections of those who do not read what waits for them. */
function awaitReaders(server: Server, { unreadMs, checkMs }: ServerLimits): void {
  const sockets = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  // To look at all now and then costs a request nothing.
  const check = () => {
    for (const socket of sockets) {
      // Counts from the last byte that was taken; the server takes it back once the answer has been read.
      if (socket.writableLength > 0 && socket.timeout !== unreadMs) socket.setTimeout(unreadMs);
    }
  };
  server.on('connection', (socket) => {
    // Nothing wakes the processor while nobody is there.
    if (sockets.size === 0) timer = setInterval(check, checkMs).unref();
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) clearInterval(timer);
    });
  });
}

/**
 * A server that upgrades only what may be, whose every error is a problem, also where Node itself would answer, and that
 * waits for nobody for ever.
 */
export function createHttpServer(
  answer: RequestListener,
  mayUpgrade: (req: IncomingMessage) => boolean,
  changed: Partial<ServerLimits> = {},
): Server {
  const limits = { ...LIMITS, ...changed };
  const options = {
    shouldUpgradeCallback: mayUpgrade,
    // The guard asks for the header Host itself, and sees that there are two.
    requireHostHeader: false,
    joinDuplicateHeaders: true,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.idleMs,
  };
  const server = createServer(options, (req, res) => {
    if (hasBody(req)) awaitRest(req, res, limits.restMs);
    answer(req, res);
  });
  server.maxConnections = limits.connections;
  awaitReaders(server, limits);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 21) || major === 23) answerInstead(server, mayUpgrade, answer);
  server.on('upgrade', (_req: IncomingMessage, socket: Socket) => {
    socket.on('data', () => socket.bytesRead > SOCKET_BYTES && socket.destroy());
  });
  server.on('clientError', answerUnread);
  server.on('checkExpectation', refuseExpectation);
  return server;
}
