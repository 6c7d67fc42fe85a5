import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import type { Log } from '../../core/model/ports.ts';
import { PROBLEM_TYPE, toProblem } from '../../core/model/problem.ts';
import { type Pass, pathOf } from '../../core/skull/operations/pass.ts';

export type PassedRequest = IncomingMessage & { skull?: Pass; originalUrl?: string };

/** What body-parser and Express throw, by the HTTP status they give it. */
const CODES: Readonly<Record<number, [ErrorCode, string]>> = {
  400: ['malformed', 'The request cannot be read.'],
  413: ['too_large', 'The body is larger than is accepted here.'],
  415: ['unsupported_media_type', 'This character set or content encoding is not accepted here.'],
};

/** An error of Express or of one of its middlewares as one of ours; anything else as it is. */
export function translated(error: unknown): unknown {
  if (error instanceof SkullError || !(error instanceof Error)) return error;
  const status = 'status' in error ? error.status : undefined;
  const type = 'type' in error ? error.type : undefined;
  if (type === 'entity.parse.failed') return new SkullError('malformed', `The body is not JSON: ${error.message}.`);
  const known = typeof status === 'number' ? CODES[status] : undefined;
  return known === undefined ? error : new SkullError(known[0], known[1], { cause: error });
}

/** Answers an error as RFC 9457 problem details, and logs it. */
export function answerProblem(req: PassedRequest, res: ServerResponse, thrown: unknown, log: Log): void {
  const error = translated(thrown);
  const path = pathOf(req.originalUrl ?? req.url ?? '');
  const problem = toProblem(error, path, req.skull?.id ?? '');
  const { status } = problem;
  const level = status >= 500 && !(error instanceof SkullError) ? 'error' : req.method === 'GET' ? 'debug' : 'info';
  log[level]({
    kind: 'rest',
    msg: `${req.method} ${path} ${status}`,
    request_id: problem.request_id,
    method: req.method,
    path,
    status,
    ...(error instanceof SkullError ? { detail: problem.detail } : { error }),
  });
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const text = JSON.stringify(problem);
  res.statusCode = status;
  res.setHeader('Content-Type', PROBLEM_TYPE);
  res.setHeader('Content-Length', Buffer.byteLength(text));
  if (status === 401) res.setHeader('WWW-Authenticate', 'Bearer realm="skull"');
  if (status === 503) res.setHeader('Retry-After', '1');
  // What was not read of the body is not waited for.
  if (status === 413) res.setHeader('Connection', 'close');
  res.end(req.method === 'HEAD' ? undefined : text);
}
