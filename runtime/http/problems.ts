import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import type { Log, LogLevel } from '../../core/model/ports.ts';
import { PROBLEM_TYPE, type Problem, toProblem } from '../../core/model/problem.ts';
import { type Pass, pathOf } from '../../core/skull/operations/pass.ts';
import { TooManyRequests } from './buckets.ts';

/** A request on its way. */
export interface Passage extends Pass {
  /** Whoever sent it may do what it asks for. */
  admitted: boolean;
  /** It was answered with a problem. */
  failed: boolean;
}

export type PassedRequest = IncomingMessage & { skull?: Passage; originalUrl?: string };

/** So long what is left of a request that was refused may still come. */
const LINGER_MS = 10_000;

/** So many characters of what a caller wrote are in a line of the log. */
const SHOWN = 300;
const shown = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** What body-parser and Express throw, by the HTTP status they give it. */
const CODES: Readonly<Record<number, [ErrorCode, string]>> = {
  400: ['malformed', 'The request cannot be read.'],
  408: ['request_timeout', 'The request did not come to its end in time.'],
  413: ['too_large', 'The body is larger than is accepted here.'],
  415: ['unsupported_media_type', 'This character set or content encoding is not accepted here.'],
};

/** What multer, and busboy below it, say of forms that they cannot read, or that broke off. */
const BAD_FORM =
  /^(Request aborted|Unexpected end of (form|file)|Malformed part header|Multipart: Boundary not found)$/;
/** What the package `content-type` says of a header that it cannot read. */
const NOT_A_TYPE: ReadonlySet<string> = new Set(['invalid media type', 'invalid parameter format']);

/** An error of Express or of one of its middlewares as one of ours; anything else as it is. */
function translated(error: unknown): unknown {
  if (error instanceof SkullError || !(error instanceof Error)) return error;
  const status = 'status' in error ? error.status : undefined;
  const type = 'type' in error ? error.type : undefined;
  if (type === 'entity.parse.failed') return new SkullError('malformed', `The body is not JSON: ${error.message}.`);
  if (NOT_A_TYPE.has(error.message)) {
    return new SkullError('unsupported_media_type', 'This is no media type: see the header Content-Type.');
  }
  if (BAD_FORM.test(error.message) || error.name === 'MulterError') {
    return new SkullError('malformed', `The form cannot be read: ${error.message}.`);
  }
  const known = typeof status === 'number' ? CODES[status] : undefined;
  return known === undefined ? error : new SkullError(known[0], known[1], { cause: error });
}

/** What is wrong with a request as HTTP, before it is one of ours; one of our errors, or else named after its status. */
export function wireProblem(status: number, detail: string, instance: string, requestId: string): Problem {
  const [code] = CODES[status] ?? [];
  if (code !== undefined) return toProblem(new SkullError(code, detail), instance, requestId);
  const title = STATUS_CODES[status] ?? 'Error';
  const type = `urn:skull:problem:${title.toLowerCase().replaceAll(' ', '-')}`;
  return { type, title, status, detail, instance, request_id: requestId };
}

export function sendProblem(res: ServerResponse, problem: Problem, method: string | undefined): void {
  const text = JSON.stringify(problem);
  res.statusCode = problem.status;
  res.setHeader('Content-Type', PROBLEM_TYPE);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.setHeader('X-Request-ID', problem.request_id);
  if (problem.status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="skull"');
  if (problem.status === 503) res.setHeader('Retry-After', '1');
  const { req } = res;
  if (problem.status === 408) {
    // Nobody waits for the rest of it any longer.
    res.setHeader('Connection', 'close');
    res.end(text);
    return;
  }
  // What nobody has begun to read Node itself throws away.
  if (problem.status !== 413 && (req.complete || !req.readableDidRead)) {
    res.end(method === 'HEAD' ? undefined : text);
    return;
  }
  res.setHeader('Connection', 'close');
  res.write(text);
  endAfterRequest(req, res);
}

/**
 * Closes the connection once the rest of the request has been thrown away: many a sender reads no answer before all is
 * sent, and one that is cut off would never see it. The answer itself is there at once.
 */
function endAfterRequest(req: IncomingMessage, res: ServerResponse): void {
  const end = () => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  if (req.readableEnded || req.destroyed) end();
  else req.once('close', end).once('end', end).resume();
}

/** How loud an answer is: our own faults, then who was not let in, then what was commanded, then what was read. */
function levelOf(error: unknown, status: number, method: string | undefined, quiet: boolean): LogLevel {
  if (status >= 500 && !(error instanceof SkullError)) return 'error';
  // Whoever floods us shall not flood the log too.
  if (status === 429 || quiet) return 'debug';
  if (status === 401 || status === 403) return 'warn';
  return method === 'GET' ? 'debug' : 'info';
}

/** Answers an error as RFC 9457 problem details, and logs it; `quiet`: there are enough lines of this kind. */
export function answerProblem(req: PassedRequest, res: ServerResponse, thrown: unknown, log: Log, quiet = false): void {
  const error = translated(thrown);
  const path = pathOf(req.originalUrl ?? req.url ?? '');
  const problem = toProblem(error, path, req.skull?.id ?? '');
  const { status } = problem;
  log[levelOf(error, status, req.method, quiet)]({
    kind: 'rest',
    msg: `${req.method} ${shown(path)} ${status}`,
    request_id: problem.request_id,
    method: req.method,
    path: shown(path),
    status,
    client: req.socket.remoteAddress,
    ...(error instanceof SkullError ? { detail: shown(problem.detail) } : { error }),
  });
  if (res.headersSent) {
    res.destroy();
    return;
  }
  if (error instanceof TooManyRequests) res.setHeader('Retry-After', String(error.retryAfterS));
  sendProblem(res, problem, req.method);
}
