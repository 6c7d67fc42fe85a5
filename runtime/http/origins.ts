import type { IncomingMessage, ServerResponse } from 'node:http';
import { SkullError } from '../../core/model/errors.ts';

const ALLOWED_HEADERS = 'Authorization, Content-Type, X-API-Key, X-Request-ID, X-Role';
const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const A_DAY_S = '86400';

const isReading = (method: string | undefined) => method === 'GET' || method === 'HEAD';

/**
 * Admits pages of the allowed origins. Answers a preflight (then true) and refuses what a page of any other origin asks to
 * change: a page anywhere on the web could otherwise move the skull of whoever looks at it. Throws `forbidden`.
 */
export function createOriginCheck(allowedOrigins: readonly string[]) {
  const allowed = new Set(allowedOrigins);
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const { origin, host } = req.headers;
    if (origin === undefined) return false;
    res.setHeader('Vary', 'Origin');
    const preflight = req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined;
    if (allowed.has(origin)) {
      res.setHeader('Access-Control-Allow-Origin', origin);
      res.setHeader('Access-Control-Expose-Headers', 'X-Request-ID, Retry-After');
      if (!preflight) return false;
      res.setHeader('Access-Control-Allow-Methods', ALLOWED_METHODS);
      res.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
      res.setHeader('Access-Control-Max-Age', A_DAY_S);
      res.statusCode = 204;
      res.end();
      return true;
    }
    const own = host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
    if (!own && !isReading(req.method)) {
      throw new SkullError('forbidden', `Pages of ${origin} may not use this API: see ALLOWED_ORIGINS.`);
    }
    return false;
  };
}
