import type { NodeMessage } from 'node-red';
import type { OperationRequest } from '../../core/skull/operations/operation.ts';
import { type Pass, pathOf } from '../../core/skull/operations/pass.ts';

/** What `http in` puts on a message, as far as an operation looks at it. */
export interface OperationMessage extends NodeMessage {
  req?: { params?: unknown; query?: unknown; body?: unknown; originalUrl?: string; skull?: Pass };
  res?: unknown;
  params?: unknown;
  query?: unknown;
  statusCode?: number;
  headers?: Record<string, string>;
}

export interface Received extends OperationRequest {
  /** The time zone that timestamps are wanted in; UTC where it is undefined. */
  timezone: string | undefined;
  /** As the caller wrote it; undefined where the message did not come over HTTP. */
  path: string | undefined;
}

/** `http in` gives an empty string, or an empty buffer, where a request has no body. */
const isAbsent = (body: unknown): boolean =>
  body === undefined || body === '' || (Buffer.isBuffer(body) && body.length === 0);

/**
 * The request of a message from `http in`; of any other message its `params`, `query` and `payload`. In a host without our
 * guard whoever reaches the node may do everything.
 */
export function receive(msg: OperationMessage, newId: () => string): Received {
  const { req } = msg;
  if (req === undefined) {
    const body = isAbsent(msg.payload) ? undefined : msg.payload;
    return {
      id: msg._msgid ?? newId(),
      role: 'admin',
      params: msg.params,
      query: msg.query,
      body,
      path: undefined,
      timezone: undefined,
    };
  }
  return {
    id: req.skull?.id ?? newId(),
    role: req.skull?.role ?? 'admin',
    params: req.params,
    query: req.query,
    body: isAbsent(req.body) ? undefined : req.body,
    path: pathOf(req.originalUrl ?? ''),
    timezone: req.skull?.timezone,
  };
}
