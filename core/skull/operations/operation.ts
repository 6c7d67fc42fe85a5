import { ERROR_CODES, type ErrorCode, SkullError } from '../../model/errors.ts';
import { parse } from '../../model/schema.ts';
import type { Static, TSchema } from '../../model/type.ts';
import type { Character } from '../character.ts';

/** What a key allows, each role all that the one before it does. */
export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Tag =
  | 'Service'
  | 'Skull'
  | 'Services'
  | 'Configuration'
  | 'Servos'
  | 'Songs'
  | 'AI'
  | 'FullAuto'
  | 'Tasks'
  | 'Events';

/** A request as it comes in: nothing of it is checked yet, but that whoever sent it has this role. */
export interface OperationRequest {
  /** Names it in logs and events. */
  id: string;
  role: Role;
  params: unknown;
  query: unknown;
  /** Parsed JSON; undefined where the request has none. */
  body: unknown;
}

/** A message to publish because of a request. */
export interface Command {
  topic: string;
  payload: unknown;
  retain?: boolean;
  qos?: 0 | 1;
}

export interface Answer<T = unknown> {
  body: T;
  /** The operation's own status where it is absent. */
  status?: number;
  commands?: readonly Command[];
}

export interface Success<S extends TSchema = TSchema> {
  status: number;
  description: string;
  schema: S;
  /** A closer schema for the document, where the answer's own shape depends on the request. */
  documented?: TSchema;
  example: unknown;
  /** The media type of an answer whose body is a text; JSON where it is absent. */
  type?: string;
  /** Further statuses that answer with the same schema, and what they say. */
  also?: Readonly<Record<number, string>>;
}

export interface RequestBody<B extends TSchema = TSchema> {
  schema: B;
  /** A closer schema for the document, where the check is not the operation's own. */
  documented?: TSchema;
  example: unknown;
  /** Media types that are accepted; JSON where it is absent. */
  types?: readonly string[];
  /** What a request without a body means; where it is absent a body is needed. */
  absent?: Static<B>;
  /** No larger body of JSON is read; `BODY_BYTES` where it is absent. */
  maxBytes?: number;
}

/** Room for a few fields, however they are escaped. */
export const BODY_BYTES = 16 * 1024;
/** Room for the longest text that is said, each of its characters written as an escape. */
export const TEXT_BYTES = 64 * 1024;

/** What is public about an operation: its place, who may call it, what goes in and comes out. */
interface Description {
  /** camelCase; the OpenAPI operationId. */
  id: string;
  method: Method;
  /** As OpenAPI writes it: `/config/{section}`. */
  path: string;
  tag: Tag;
  summary: string;
  description: string;
  role: Role | 'public';
  errors: readonly ErrorCode[];
}

export interface Operation extends Description {
  params?: TSchema;
  query?: TSchema;
  body?: RequestBody;
  success: Success;
  /**
   * Checks the request and carries it out. Throws (or rejects with) a SkullError: `invalid` where params, query or body do
   * not fit, else one of `errors`. What can be answered at once is answered in the same tick.
   */
  run(request: OperationRequest, character: Character): Answer | Promise<Answer>;
}

interface Checked<P extends TSchema, Q extends TSchema, B extends TSchema> {
  id: string;
  role: Role;
  params: Static<P>;
  query: Static<Q>;
  body: Static<B>;
}

interface Spec<P extends TSchema, Q extends TSchema, B extends TSchema, S extends TSchema> extends Description {
  params?: P;
  query?: Q;
  body?: RequestBody<B>;
  success: Success<S>;
  handle(request: Checked<P, Q, B>, character: Character): Answer<Static<S>> | Promise<Answer<Static<S>>>;
}

/** An operation whose `handle` sees checked values only. */
export function define<P extends TSchema, Q extends TSchema, B extends TSchema, S extends TSchema>(
  spec: Spec<P, Q, B, S>,
): Operation {
  const { params, query, body, handle, errors, ...rest } = spec;
  return {
    ...rest,
    ...(params !== undefined && { params }),
    ...(query !== undefined && { query }),
    ...(body !== undefined && { body }),
    errors: ['invalid', ...errors],
    run: (request, character) =>
      handle(
        {
          id: request.id,
          role: request.role,
          params: params === undefined ? undefined : parse(params, { ...Object(request.params) }, PARAMS),
          query: query === undefined ? refuseQuery(request.query) : parse(query, { ...Object(request.query) }, QUERY),
          body: body === undefined ? undefined : bodyOf(body, request.body),
        } as Checked<P, Q, B>,
        character,
      ),
  };
}

const PARAMS = { what: 'The path', coerce: true };
const QUERY = { what: 'The query', coerce: true };

function refuseQuery(query: unknown): undefined {
  for (const name in Object(query)) {
    throw new SkullError('invalid', `The query is invalid: ${name} is not a known parameter.`, {
      issues: [{ path: `/${name}`, message: 'is not a known parameter' }],
    });
  }
}

function bodyOf<B extends TSchema>({ schema, absent, types }: RequestBody<B>, given: unknown): Static<B> {
  if (given === undefined && absent === undefined) {
    throw new SkullError('invalid', `The body is missing: ${types?.join(' or ') ?? 'JSON'} is needed.`, {
      issues: [{ path: '', message: 'is needed' }],
    });
  }
  return parse(schema, given ?? structuredClone(absent), { what: 'The body' });
}

/** The HTTP statuses of errors, each with its codes. */
export function errorStatuses(errors: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const statuses = new Map<number, ErrorCode[]>();
  for (const code of errors) {
    const status = ERROR_CODES[code][0];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return statuses;
}
