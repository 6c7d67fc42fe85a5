import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet, { type HelmetOptions } from 'helmet';

/** What helmet says to an answer, found out once: to ask it for each answer takes longer than all else in the guard. */
function headersOf(options: HelmetOptions): [name: string, value: string][] {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  helmet(options)(req, res, () => {});
  return Object.entries(res.getHeaders()).map(([name, value]) => [name, String(value)]);
}

/** Off where an answer is read by a program, or belongs to somebody else; HTTPS is not expected in a home network. */
const NONE: HelmetOptions = {
  contentSecurityPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  strictTransportSecurity: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
};
const NOTHING = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };

/**
 * For JSON: no browser takes it for anything else, and could do nothing with it; and nobody keeps what holds now. Each header
 * takes half a microsecond, so there is none that says only the same again.
 */
export const API_HEADERS = [
  ...headersOf({ ...NONE, contentSecurityPolicy: { useDefaults: false, directives: NOTHING } }),
  ['cache-control', 'no-store'],
] as const;

/** For the editor, which makes its pages itself. */
export const PAGE_HEADERS = headersOf({ ...NONE, xFrameOptions: { action: 'sameorigin' } });

export function addHeaders(res: ServerResponse, headers: readonly (readonly [string, string])[]): void {
  for (const [name, value] of headers) res.setHeader(name, value);
}
