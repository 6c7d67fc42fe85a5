import { randomUUID } from 'node:crypto';
import express, {
  type Application,
  type ErrorRequestHandler,
  type Express,
  type NextFunction,
  type Request,
  type Response,
} from 'express';
import { SkullError } from '../../core/model/errors.ts';
import type { Log } from '../../core/model/ports.ts';
import type { Operation } from '../../core/skull/operations/operation.ts';
import type { Pass } from '../../core/skull/operations/pass.ts';
import { EVENT_STREAM } from '../../core/skull/operations/stream.ts';
import type { Environment } from '../env.ts';
import { allows, createKeyCheck } from './keys.ts';
import { createOriginCheck } from './origins.ts';
import { answerProblem } from './problems.ts';
import { findOperation, methodsAt } from './routes.ts';
import { createUpload, MULTIPART } from './upload.ts';

export interface HttpAppOptions {
  env: Pick<Environment, 'apiKeys' | 'requireApiKey' | 'rbac' | 'allowedOrigins' | 'host' | 'home'>;
  log: Log;
  /** Where `http in` nodes put their routes: not started yet. */
  redHttpNode: Application;
  /** The editor and its API, served under `/editor`; absent: there is none. */
  redHttpAdmin?: Application | undefined;
  /** Answers `GET /events/stream`, or throws; absent: it is not served. */
  stream?: (req: Request, res: Response, pass: Pass) => void;
  /** False until the flows run: until then requests are asked to come again. */
  isReady: () => boolean;
}

type Passed = Request & { skull?: Pass };

const BODY_LIMIT = 256 * 1024;
/** What needs no key and has no operation, and what it takes. */
const DOCUMENTS = /^\/(openapi\.json|docs|redoc)(\/|$)/;
const PAGE_METHODS = 'GET, HEAD, OPTIONS';
const EDITOR = '/editor';
const SANE_ID = /^[\w.:@/+=-]{1,128}$/;
const JSON_TYPES: readonly string[] = ['application/json'];

/** Everything in front of the flows: guard, body parsing, documents; and behind them: what nobody answered, and errors. */
export function createHttpApp({ env, log, redHttpNode, redHttpAdmin, stream, isReady }: HttpAppOptions): Express {
  const roleOf = createKeyCheck(env);
  const isPreflight = createOriginCheck(env);
  const documents = lazyDocuments();
  const parseJson = express.json({ limit: BODY_LIMIT, type: () => true, strict: false });
  const upload = createUpload(env.home);
  const editor = redHttpAdmin && express().use(EDITOR, redHttpAdmin);
  const app = express();
  tune(app);
  tune(redHttpNode);

  /** One middleware for all: each layer of Express costs as much as all that is done in here. */
  function guard(req: Passed, res: Response, next: NextFunction): void {
    const id = req.headers['x-request-id'];
    const pass: Pass = { id: typeof id === 'string' && SANE_ID.test(id) ? id : randomUUID(), role: 'viewer' };
    req.skull = pass;
    res.setHeader('X-Request-ID', pass.id);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    if (req.headers.host === undefined && req.httpVersion !== '1.0') {
      throw new SkullError('malformed', 'The header Host is missing.');
    }
    if (isPreflight(req, res)) return;
    const { path } = req;
    if (path === '/' || DOCUMENTS.test(path)) {
      servePage(req, res, next);
      return;
    }
    if (editor !== undefined && (path === EDITOR || path.startsWith(`${EDITOR}/`))) {
      editor(req, res, next);
      return;
    }
    if (req.method === 'OPTIONS' && answerOptions(path, res)) return;
    const operation = findOperation(req.method, path);
    if (operation?.role !== 'public') {
      pass.role = roleOf(req.headers);
      refuseRole(req, operation, pass);
    }
    if (!isReady()) throw new SkullError('unavailable', 'The orchestrator is starting: come again in a second.');
    if (operation === undefined) {
      redHttpNode(req, res, next);
      return;
    }
    res.setHeader('Cache-Control', 'no-store');
    if (operation === EVENT_STREAM && stream !== undefined) {
      stream(req, res, pass);
      return;
    }
    if (operation.method === 'GET') redHttpNode(req, res, next);
    else readBody(req, res, operation, (error) => (error === undefined ? redHttpNode(req, res, next) : next(error)));
  }

  function servePage(req: Request, res: Response, next: NextFunction): void {
    const { method, path } = req;
    if (method !== 'GET' && method !== 'HEAD') res.setHeader('Allow', PAGE_METHODS);
    if (method === 'OPTIONS') {
      res.statusCode = 204;
      res.end();
    } else if (method !== 'GET' && method !== 'HEAD') {
      throw new SkullError('method_not_allowed', `${path} takes ${PAGE_METHODS}, not ${method}.`);
    } else if (path === '/') {
      res.redirect('/docs');
    } else {
      documents(req, res, next);
    }
  }

  function readBody(req: Request, res: Response, operation: Operation, next: (error?: unknown) => void): void {
    const { 'content-length': length, 'transfer-encoding': chunked, 'content-type': type = '' } = req.headers;
    if (chunked === undefined && (length === undefined || length === '0')) {
      // Tells the parsers of `http in` that there is nothing to read.
      Object.assign(req, { body: undefined, _body: true });
      next();
      return;
    }
    const types = operation.body?.types ?? JSON_TYPES;
    const mediaType = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (!types.includes(mediaType)) {
      throw new SkullError('unsupported_media_type', `Send ${types.join(' or ')}, not ${mediaType || 'nothing'}.`);
    }
    if (mediaType === MULTIPART) {
      upload(req, res, operation, next);
      return;
    }
    if (Number(length) > BODY_LIMIT) {
      throw new SkullError('too_large', `The body is larger than ${BODY_LIMIT} bytes.`);
    }
    parseJson(req, res, (error) => next(error ?? nothing(req.body)));
  }

  app.use(guard);
  app.use(unanswered);
  const onError: ErrorRequestHandler = (error, req: Passed, res, _next) => answerProblem(req, res, error, log);
  app.use(onError);
  return app;
}

/** What nobody asked for and everybody would pay for: ETags of live values, nested queries; and paths are exact, as in the guard. */
function tune(app: Application): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.enable('strict routing');
}

/** A route that is not on the list comes from a flow of the user's: reading takes a viewer, anything else an editor. */
function refuseRole(req: Request, operation: Operation | undefined, { role }: Pass): void {
  const needed = operation?.role ?? (req.method === 'GET' || req.method === 'HEAD' ? 'viewer' : 'editor');
  if (needed !== 'public' && !allows(role, needed)) {
    throw new SkullError('forbidden', `${req.method} ${req.path} takes the role ${needed}; this key has ${role}.`);
  }
}

/** To an operation `null` would be no body at all, which may mean something. */
function nothing(body: unknown): SkullError | undefined {
  if (body !== null) return undefined;
  const issues = [{ path: '', message: 'is null' }];
  return new SkullError('invalid', 'The body is invalid: it is null.', { issues });
}

/** Whether the path is one of ours; the caller is then told what it takes, for which nobody needs a key. */
function answerOptions(path: string, res: Response): boolean {
  const methods = methodsAt(path);
  if (methods.length === 0) return false;
  res.setHeader('Allow', methods.join(', '));
  res.statusCode = 204;
  res.end();
  return true;
}

function unanswered(req: Request, res: Response): void {
  const methods = methodsAt(req.path);
  if (methods.length === 0) throw new SkullError('not_found', `There is nothing at ${req.path}: see /docs.`);
  res.setHeader('Allow', methods.join(', '));
  throw new SkullError('method_not_allowed', `${req.path} takes ${methods.join(', ')}, not ${req.method}.`);
}

/** Loaded when the first reader comes: they cost memory and time that the skull does not need. */
function lazyDocuments() {
  let loaded: Promise<express.Handler> | undefined;
  return (req: Request, res: Response, next: NextFunction): void => {
    loaded ??= import('./documents.ts').then(({ createDocuments }) => createDocuments());
    loaded.then((serve) => serve(req, res, next), next);
  };
}
