import type { Role } from './operation.ts';

/** What the guard in front of the flows tells the operation behind them of a request, as its property `skull`. */
export interface Pass {
  /** The request's id. */
  id: string;
  role: Role;
  /** When it came, as `performance.now()` says. */
  since: number;
  /** The time zone (IANA) that timestamps of the answer are wanted in; UTC where it is absent. */
  timezone?: string;
}

/** The path of a request without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
