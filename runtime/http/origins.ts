import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { SkullError } from '../../core/model/errors.ts';
import type { Environment } from '../env.ts';

const ALLOWED_HEADERS = 'Authorization, Content-Type, Last-Event-ID, X-API-Key, X-Request-ID, X-Role, X-Timezone';
const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const A_DAY_S = '86400';

const isReading = (method: string | undefined) => method === 'GET' || method === 'HEAD';

/** Pages of other origins may read (without seeing the answer), but a WebSocket tells them all. */
const isHarmless = ({ method, headers }: IncomingMessage): boolean =>
  isReading(method) && headers.upgrade?.toLowerCase() !== 'websocket';

/**
 * Tells whether a request comes from no page at all, from one of ours, or from one of an allowed origin. While no key is
 * needed, only a name that is surely ours makes a page ours: any other may be somebody's who let it point here. A page
 * that reads what stands at its own origin does not even say that it is one: then a name with a dot, as all of those have
 * that can be bought, has to be ours too.
 */
export function createOriginRule({
  allowedOrigins,
  requireApiKey,
  host: ownHost,
}: Pick<Environment, 'allowedOrigins' | 'requireApiKey' | 'host'>): (req: IncomingMessage) => boolean {
  const allowed = new Set(allowedOrigins);

  function isOwnName(host: string): boolean {
    if (requireApiKey) return true;
    const name = URL.parse(`http://${host}`)?.hostname ?? '';
    const bare = name.startsWith('[') ? name.slice(1, -1) : name;
    return isIP(bare) !== 0 || /(^|\.)localhost$/.test(bare) || bare === ownHost.toLowerCase();
  }

  let lastOwn: string | undefined;
  function mayBeAsked(host = ''): boolean {
    if (requireApiKey || host === lastOwn || !host.includes('.')) return true;
    if (!isOwnName(host) && !allowed.has(`http://${host}`) && !allowed.has(`https://${host}`)) return false;
    lastOwn = host;
    return true;
  }

  return ({ headers: { origin, host } }) =>
    origin === undefined
      ? mayBeAsked(host)
      : allowed.has(origin) ||
        (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`) && isOwnName(host));
}

/**
 * Admits pages of the allowed origins. Answers a preflight (then true) and refuses what a page of any other origin asks to
 * change: a page anywhere on the web could otherwise move the skull of whoever looks at it. Throws `forbidden`.
 */
export function createOriginCheck(env: Parameters<typeof createOriginRule>[0]) {
  const allowed = new Set(env.allowedOrigins);
  const isAdmitted = createOriginRule(env);
  return (req: IncomingMessage, res: ServerResponse): boolean => {
    const { origin, host } = req.headers;
    if (origin === undefined) {
      if (isAdmitted(req)) return false;
      throw new SkullError('forbidden', `${host} is no name of ours: see API_KEY, HOST and ALLOWED_ORIGINS.`);
    }
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
    if (!isHarmless(req) && !isAdmitted(req)) {
      throw new SkullError('forbidden', `Pages of ${origin} may not use this API: see ALLOWED_ORIGINS.`);
    }
    return false;
  };
}
