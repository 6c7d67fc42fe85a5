import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Application, type Handler, type Request, type Response } from 'express';
import { SkullError } from '../../core/model/errors.ts';
import type { Log } from '../../core/model/ports.ts';
import type { Operation } from '../../core/skull/operations/operation.ts';
import { type Pass, pathOf } from '../../core/skull/operations/pass.ts';
import { EVENT_STREAM } from '../../core/skull/operations/stream.ts';
import { timezoneOf } from '../../core/skull/timezone.ts';
import type { Environment } from '../env.ts';
import { createBodyReader } from './bodies.ts';
import { BodyRoom } from './body-room.ts';
import { Buckets, TooManyRequests } from './buckets.ts';
import { clientOf } from './client.ts';
import { API_HEADERS, addHeaders, PAGE_HEADERS } from './headers.ts';
import { allows, createKeyCheck } from './keys.ts';
import { createOriginCheck } from './origins.ts';
import { answerProblem, type Passage, type PassedRequest } from './problems.ts';
import { findOperation, methodsAt } from './routes.ts';
import { hasBody } from './server.ts';

export interface HttpAppOptions {
  env: Pick<Environment, 'apiKeys' | 'requireApiKey' | 'rbac' | 'allowedOrigins' | 'host' | 'home'>;
  log: Log;
  /** Where `http in` nodes put their routes: not started yet. */
  redHttpNode: Application;
  /** The editor and its API, served under `/editor`; absent: there is none. */
  redHttpAdmin?: Application | undefined;
  /** Answers `GET /events/stream`, or rejects; absent: it is not served. */
  stream?: (req: Request, res: Response, pass: Pass) => Promise<void>;
  /** False until the flows run: until then requests are asked to come again. */
  isReady: () => boolean;
  /** Shorter times, and their clock, for tests: milliseconds. */
  times?: { now?: () => number; bodyMs?: number; answerMs?: number };
}

type Next = (error?: unknown) => void;
type Serve = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

/** Changes that an address may ask for: so many at once, and so many a second in the long run. */
const WRITES = { burst: 5000, perSecond: 100 };
/** Lines about what an address was not let in for: beyond them the log would hold nothing else. */
const REFUSALS = { burst: 100, perSecond: 1 / 6 };
/** Bytes of bodies on their way to flows of the user's, and of those on their way to the editor. */
const OWN_BYTES = 32 * 2 ** 20;
const EDITOR_BYTES = 16 * 2 ** 20;
/** So long may a flow of the user's take to answer: proxies wait no longer. */
const ANSWER_MS = 60_000;
const DOCUMENTS = /^\/(openapi\.json|asyncapi\.json|docs|redoc)(\/|$)/;
/** Browsers ask for it by themselves; there is none, which is nobody's fault. */
const ICON = '/favicon.ico';
/** What needs no key and has no operation, and what it takes. */
export const isPage = (path: string): boolean => path === '/' || path === ICON || DOCUMENTS.test(path);
const PAGE_METHODS = 'GET, HEAD, OPTIONS';
const EDITOR = '/editor';
const SANE_ID = /^[\w.:@/+=-]{1,128}$/;
const ESTOP = '/estop';
/** A path with a query in which nothing but what may be there stands. */
const PLAIN = /^\/[!"$-~]*$/;
const HTTP: ReadonlySet<string> = new Set(['http:', 'https:']);

/**
 * Everything in front of the flows: guard, body parsing, documents; and behind them: what nobody answered, and errors. The
 * guard is no application of Express, though the flows' is one: to go through two takes longer than all that is done here.
 */
export function createHttpApp(options: HttpAppOptions): RequestListener {
  const { env, log, redHttpNode, redHttpAdmin, stream, isReady } = options;
  const serveFlows: Serve = redHttpNode;
  const { now = () => performance.now(), answerMs = ANSWER_MS, ...times } = options.times ?? {};
  const roleOf = createKeyCheck(env, now);
  const writes = new Buckets({ ...WRITES, now });
  const refusals = new Buckets({ ...REFUSALS, now });
  const isPreflight = createOriginCheck(env);
  const documents = withExpress(lazyDocuments());
  const readBody = createBodyReader(env.home, times);
  const ownRoom = new BodyRoom(OWN_BYTES, times);
  const editorRoom = new BodyRoom(EDITOR_BYTES, times);
  const editor: Serve | undefined = redHttpAdmin && withExpress(redHttpAdmin, EDITOR);
  const serveStream =
    stream &&
    withExpress((req: Request & { skull?: Pass }, res, next) => {
      if (req.skull !== undefined) stream(req, res, req.skull).catch(next);
    });
  tune(redHttpNode);
  takeErrors(redHttpNode);

  function guard(req: PassedRequest, res: ServerResponse, next: Next): void {
    const id = req.headers['x-request-id'];
    const pass: Passage = {
      id: typeof id === 'string' && SANE_ID.test(id) ? id : randomUUID(),
      role: 'viewer',
      since: performance.now(),
      admitted: false,
      failed: false,
    };
    req.skull = pass;
    res.setHeader('X-Request-ID', pass.id);
    const { host } = req.headers;
    if (host === undefined ? req.httpVersion !== '1.0' : host.includes(',')) {
      throw new SkullError('malformed', `The header Host is ${host === undefined ? 'missing' : 'there twice'}.`);
    }
    if (isPreflight(req, res)) return;
    const path = pathOf(plainUrl(req));
    if (isPage(path)) {
      servePage(path, req, res, next);
      return;
    }
    if (editor !== undefined && (path === EDITOR || path.startsWith(`${EDITOR}/`))) {
      addHeaders(res, PAGE_HEADERS);
      editorRoom.admit(req, res, next);
      editor(req, res, next);
      return;
    }
    if (req.method === 'OPTIONS' && answerOptions(path, res)) return;
    const operation = findOperation(req.method ?? '', path);
    if (operation?.role !== 'public') {
      pass.role = roleOf(req);
      refuseRole(req.method, path, operation, pass);
    }
    pass.admitted = true;
    const timezone = req.headers['x-timezone'];
    if (timezone !== undefined) pass.timezone = timezoneOf(String(timezone));
    if (!isReading(req) && operation?.path !== ESTOP) refuseFlood(req);
    if (!isReady()) throw new SkullError('unavailable', 'The orchestrator is starting: come again in a second.');
    if (operation === undefined) {
      serveOther(req, res, next);
      return;
    }
    addHeaders(res, API_HEADERS);
    if (operation === EVENT_STREAM && serveStream !== undefined) serveStream(req, res, next);
    else if (operation.method === 'GET') serveFlows(req, res, next);
    else readBody(req, res, operation, (error) => (error === undefined ? serveFlows(req, res, next) : next(error)));
  }

  function servePage(path: string, req: IncomingMessage, res: ServerResponse, next: Next): void {
    const { method } = req;
    if (method !== 'GET' && method !== 'HEAD') res.setHeader('Allow', PAGE_METHODS);
    if (method === 'OPTIONS') {
      res.statusCode = 204;
      res.end();
    } else if (method !== 'GET' && method !== 'HEAD') {
      throw new SkullError('method_not_allowed', `${path} takes ${PAGE_METHODS}, not ${method}.`);
    } else if (path === '/') {
      res.statusCode = 302;
      res.setHeader('Location', '/docs');
      res.end();
    } else if (path === ICON) {
      res.statusCode = 204;
      res.end();
    } else {
      documents(req, res, next);
    }
  }

  /** A route that is not on the list comes from a flow of the user's; one that breaks off answers nobody. */
  function serveOther(req: IncomingMessage, res: ServerResponse, next: Next): void {
    res.setHeader('X-Content-Type-Options', 'nosniff');
    ownRoom.admit(req, res, next);
    let timer: NodeJS.Timeout;
    const late = () => {
      if (!res.headersSent) next(new SkullError('timeout', `The flow did not answer within ${answerMs / 1000} s.`));
    };
    const wait = () => {
      timer = setTimeout(late, answerMs);
    };
    if (hasBody(req)) req.once('end', wait);
    else wait();
    res.once('close', () => clearTimeout(timer));
    serveFlows(req, res, next);
  }

  /** Stopping is never held up. */
  function refuseFlood({ socket }: IncomingMessage): void {
    const wait = writes.take(clientOf(socket));
    if (wait > 0) throw new TooManyRequests('Too many changes were asked for from this address', wait);
  }

  function fail(req: PassedRequest, res: ServerResponse, error: unknown): void {
    const { skull } = req;
    // Whoever reads a body that was refused in its midst has something to say too.
    if (skull?.failed) return;
    if (skull !== undefined) skull.failed = true;
    if (!res.headersSent) addHeaders(res, API_HEADERS);
    answerProblem(req, res, error, log, !skull?.admitted && refusals.take(clientOf(req.socket)) > 0);
  }

  return (req: PassedRequest, res) => {
    try {
      guard(req, res, (error) => fail(req, res, error ?? unanswered(req, res)));
    } catch (error) {
      fail(req, res, error);
    }
  };
}

/** A handler that wants requests as Express makes them. */
function withExpress(handler: Handler, path = '/'): Serve {
  const app = express();
  tune(app);
  return app.use(path, handler);
}

/**
 * The place that is asked for as Express reads it too: without the host that may be in front of it. What Express would read
 * as something else than it looks like is refused: the guard must see what the flows see. Throws `malformed`.
 */
function plainUrl(req: IncomingMessage): string {
  const { url = '' } = req;
  if (PLAIN.test(url)) return url;
  const whole = URL.parse(url);
  if (url.startsWith('/') || whole === null || !HTTP.has(whole.protocol)) {
    throw new SkullError('malformed', 'The path holds characters that have to be percent-encoded.');
  }
  req.url = whole.pathname + whole.search;
  return req.url;
}

/** What nobody asked for and everybody would pay for: ETags of live values, nested queries; and paths are exact, as in the guard. */
function tune(app: Application): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.enable('strict routing');
}

/** `http in` gives its routes a handler that answers each error with a bare 500: without it they come to ours. */
function takeErrors(app: Application): void {
  for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
    const register: (...args: unknown[]) => unknown = Reflect.get(app, method).bind(app);
    const isErrorHandler = (one: unknown) => typeof one === 'function' && one.length === 4;
    Reflect.set(app, method, (...args: unknown[]) => register(...args.filter((one) => !isErrorHandler(one))));
  }
}

const isReading = ({ method }: IncomingMessage): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** A route that is not on the list comes from a flow of the user's: reading takes a viewer, anything else an editor. */
function refuseRole(method: string | undefined, path: string, operation: Operation | undefined, { role }: Pass): void {
  const needed = operation?.role ?? (method === 'GET' || method === 'HEAD' ? 'viewer' : 'editor');
  if (needed !== 'public' && !allows(role, needed)) {
    throw new SkullError('forbidden', `${method} ${path} takes the role ${needed}; this key has ${role}.`);
  }
}

/** Whether the path is one of ours; the caller is then told what it takes, for which nobody needs a key. */
function answerOptions(path: string, res: ServerResponse): boolean {
  const methods = methodsAt(path);
  if (methods.length === 0) return false;
  res.setHeader('Allow', methods.join(', '));
  res.statusCode = 204;
  res.end();
  return true;
}

function unanswered({ url = '', method = '' }: IncomingMessage, res: ServerResponse): SkullError {
  const path = pathOf(url);
  if (findOperation(method, path) !== undefined) {
    return new SkullError(
      'unavailable',
      `No flow serves ${method} ${path} now: its tab is being deployed, or is not there.`,
    );
  }
  const methods = methodsAt(path);
  if (methods.length === 0) return new SkullError('not_found', `There is nothing at ${path}: see /docs.`);
  res.setHeader('Allow', methods.join(', '));
  return new SkullError('method_not_allowed', `${path} takes ${methods.join(', ')}, not ${method}.`);
}

/** Loaded when the first reader comes: they cost memory and time that the skull does not need. */
function lazyDocuments(): Handler {
  let loaded: Promise<Handler> | undefined;
  return (req, res, next) => {
    loaded ??= import('./documents.ts').then(({ createDocuments }) => createDocuments());
    loaded.then((serve) => serve(req, res, next), next);
  };
}
