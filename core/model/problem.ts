import { type Issue, SkullError } from './errors.ts';

/** RFC 9457 problem details, as every HTTP error is answered. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  errors?: readonly Issue[];
  request_id: string;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What is not a SkullError becomes a 500 without its text: inner errors say too much. */
export function toProblem(error: unknown, instance: string, requestId: string): Problem {
  const known =
    error instanceof SkullError ? error : new SkullError('internal', 'The request failed; the log has the details.');
  return {
    type: `urn:skull:problem:${known.code.replaceAll('_', '-')}`,
    title: known.title,
    status: known.status,
    detail: known.message,
    instance,
    ...(known.issues.length > 0 && { errors: known.issues }),
    request_id: requestId,
  };
}
