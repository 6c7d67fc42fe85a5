import { OPERATIONS } from '../../core/skull/operations/index.ts';
import type { Operation } from '../../core/skull/operations/operation.ts';
import { EVENT_STREAM } from '../../core/skull/operations/stream.ts';

interface Route {
  operation: Operation;
  /** undefined stands for a parameter. */
  segments: (string | undefined)[];
}

/** Everything that can be asked for: what the flows serve, and the stream of events beside them. */
export const SERVED: readonly Operation[] = [...OPERATIONS, EVENT_STREAM];

const exact = new Map<string, Operation>();
const withParams: Route[] = [];
for (const operation of SERVED) {
  if (operation.path.includes('{')) withParams.push({ operation, segments: segmentsOf(operation.path) });
  else exact.set(`${operation.method} ${operation.path}`, operation);
}

function segmentsOf(path: string): (string | undefined)[] {
  return path.split('/').map((segment) => (segment.startsWith('{') ? undefined : segment));
}

function fits({ segments }: Route, parts: readonly string[]): boolean {
  return (
    segments.length === parts.length &&
    segments.every((segment, index) => (segment === undefined ? parts[index] !== '' : segment === parts[index]))
  );
}

/** The operation at a path, exactly as the flows' routes are matched; HEAD asks for what GET answers. */
export function findOperation(method: string, path: string): Operation | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  const found = exact.get(`${asked} ${path}`);
  if (found !== undefined) return found;
  const parts = path.split('/');
  return withParams.find((route) => route.operation.method === asked && fits(route, parts))?.operation;
}

/** The methods that a path takes, OPTIONS and HEAD among them; none where there is no such path. */
export function methodsAt(path: string): string[] {
  const parts = path.split('/');
  const here = SERVED.filter(
    (operation) =>
      operation.path === path || withParams.some((route) => route.operation === operation && fits(route, parts)),
  );
  if (here.length === 0) return [];
  const reads = here.some(({ method }) => method === 'GET');
  return [...here.map(({ method }) => method), ...(reads ? ['HEAD'] : []), 'OPTIONS'];
}

/** An operation's path as `http in` writes it: `/config/:section`. */
export const flowUrl = ({ path }: Operation): string => path.replaceAll(/\{(\w+)\}/g, ':$1');
