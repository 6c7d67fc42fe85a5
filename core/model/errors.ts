/** Every error a person may meet: a code that stays, an HTTP status, and a text that says what to do. */

export interface Issue {
  /** JSON Pointer or dotted place of what is wrong, `` for the whole. */
  path: string;
  message: string;
}

/** code → [HTTP status, title]. */
export const ERROR_CODES = {
  malformed: [400, 'Malformed request'],
  invalid: [400, 'Invalid request'],
  unauthorized: [401, 'API key needed'],
  forbidden: [403, 'Not allowed for this role'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  request_timeout: [408, 'The request took too long'],
  conflict: [409, 'State conflict'],
  estop: [409, 'Emergency stop is on'],
  busy: [409, 'The skull is busy'],
  too_large: [413, 'Too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  not_allowed: [422, 'Value not allowed'],
  too_many_requests: [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  storage_full: [507, 'No space left'],
  unavailable: [503, 'A needed component is down'],
  timeout: [504, 'No answer in time'],
  document_broken: [500, 'A stored document is broken'],
  definition_invalid: [422, 'The definition is invalid'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

export class SkullError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, message: string, options: { issues?: readonly Issue[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SkullError';
    this.code = code;
    this.issues = options.issues ?? [];
  }

  get status(): number {
    return ERROR_CODES[this.code][0];
  }

  get title(): string {
    return ERROR_CODES[this.code][1];
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
