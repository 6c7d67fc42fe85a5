import { asked } from '../../core/model/asked.ts';
import { ERROR_CODES, type ErrorCode, type Issue, SkullError } from '../../core/model/errors.ts';
import { toProblem } from '../../core/model/problem.ts';
import type { TSchema } from '../../core/model/type.ts';
import { errorStatuses, type Operation, type Tag } from '../../core/skull/operations/operation.ts';
import { HEADERS, headerParametersOf, headersOf, PARAMETERS, SECURITY_SCHEMES, securityOf } from './openapi-headers.ts';
import { SERVED } from './routes.ts';
import { Problem, Schemas } from './schemas.ts';

type Json = Record<string, unknown>;

/** In the order in which they are shown. */
const TAGS: Readonly<Record<Tag, string>> = {
  Service: 'The orchestrator itself, for probes and monitoring.',
  Skull: 'What the skull shall do, what it does, and the emergency stop.',
  Services: 'The services of the skull: whether they live, and starting and stopping them.',
  Configuration: 'Settings by section. A change through REST, MQTT or a file reaches the other two.',
  Servos: 'Single servos and how far they may turn.',
  Songs: 'Playing songs, and which there are.',
  AI: 'Conversations.',
  FullAuto: 'What the skull does by itself.',
  Tasks: 'Who may have the body, and when: tasks with priorities.',
  Events: 'What happened: the event log, and the events as they come.',
};

const DESCRIPTION = `JSON in and out. Errors are problem details (RFC 9457), and so are all that are not listed with an operation: 404 for a path that is not here, 405 with \`Allow\` for a method that a path does not take, 500 where the orchestrator is at fault.

A key has a role: \`viewer\` reads, \`editor\` also commands and edits, \`admin\` also administers. Each operation says which it needs.

Times are UTC, ISO 8601; with \`X-Timezone\` they are told in that zone. What is said over MQTT is described in [asyncapi.json](/asyncapi.json).`;

/** What the guard in front of the operations may answer, before an operation sees the request. */
function guardErrors({ role, method, body }: Operation): ErrorCode[] {
  const errors: ErrorCode[] = ['unavailable'];
  if (role !== 'public') errors.push('unauthorized', 'too_many_requests');
  // No key has less than a viewer's role.
  if (role === 'editor' || role === 'admin') errors.push('forbidden');
  if (method !== 'GET') errors.push('malformed', 'too_large', 'unsupported_media_type');
  // A form may take its time, and is malformed where it breaks off.
  if (method !== 'GET' && !body?.types?.includes('multipart/form-data')) errors.push('request_timeout');
  return errors;
}

const DETAILS: Partial<Record<ErrorCode, string>> = {
  invalid: 'The body is invalid: /mode must be one of Idle, Accueil, Chanson, IA, FullAuto.',
  unauthorized: 'Send the key as X-API-Key or as Authorization: Bearer.',
  estop: 'Playing a song is not possible under emergency stop: release it with POST /estop {"active": false}.',
};
const ISSUES: Partial<Record<ErrorCode, Issue[]>> = {
  invalid: [{ path: '/mode', message: 'must be one of Idle, Accueil, Chanson, IA, FullAuto' }],
};

/** What is said of errors in one document, each written down once. */
class Errors {
  readonly #schemas: Schemas;
  readonly #used = new Set<ErrorCode>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  answer(status: number, codes: readonly ErrorCode[]): Json {
    const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
    for (const code of codes) this.#used.add(code);
    return {
      description: codes.map((code) => `${ERROR_CODES[code][1]}.`).join(' '),
      headers: headersOf(status),
      content: {
        'application/problem+json': {
          schema: this.#schemas.refer(Problem),
          examples: Object.fromEntries(examples),
        },
      },
    };
  }

  /** The examples, by code. */
  components(): Json {
    const of = (code: ErrorCode) => {
      const title = ERROR_CODES[code][1];
      const error = new SkullError(code, DETAILS[code] ?? `${title}.`, { issues: ISSUES[code] ?? [] });
      return { summary: title, value: toProblem(error, '/mode', 'f3c1a9e2') };
    };
    return Object.fromEntries([...this.#used].sort().map((code) => [code, of(code)]));
  }
}

function answersOf(operation: Operation, schemas: Schemas, errors: Errors): Json {
  const { success } = operation;
  const content = {
    [success.type ?? 'application/json']: {
      schema: schemas.refer(success.documented ?? success.schema),
      example: success.example,
    },
  };
  const headers = headersOf(success.status);
  const answers: Json = { [success.status]: { description: success.description, headers, content } };
  for (const [status, description] of Object.entries(success.also ?? {})) {
    answers[status] = { description, headers, content };
  }
  const codes = [...new Set([...operation.errors, ...guardErrors(operation)])];
  for (const [status, those] of errorStatuses(codes)) {
    const error = errors.answer(status, those);
    const also = success.also?.[status];
    const both = { description: `${also} ${error.description}`, content: { ...content, ...Object(error.content) } };
    answers[status] = also === undefined ? error : { ...error, ...both };
  }
  return answers;
}

interface Described {
  description?: string;
  examples?: readonly unknown[];
}

function parametersOf(operation: Operation, schemas: Schemas): Json[] {
  const of = (schema: TSchema | undefined, place: 'path' | 'query'): Json[] => {
    const { properties = {}, required = [] }: { properties?: Record<string, TSchema>; required?: string[] } =
      schema === undefined ? {} : asked(schema);
    return Object.entries(properties).map(([name, property]) => {
      const { description, examples: [example] = [], ...rest }: TSchema & Described = property;
      return {
        name,
        in: place,
        required: place === 'path' || required.includes(name),
        ...(description && { description }),
        schema: schemas.refer(rest),
        ...(example !== undefined && { example }),
      };
    });
  };
  return [...of(operation.params, 'path'), ...of(operation.query, 'query'), ...headerParametersOf(operation)];
}

function bodyOf({ body }: Operation, schemas: Schemas): Json | undefined {
  if (body === undefined) return undefined;
  const content = { schema: schemas.refer(asked(body.documented ?? body.schema)), example: body.example };
  const types = body.types ?? ['application/json'];
  return {
    required: body.absent === undefined,
    content: Object.fromEntries(types.map((type) => [type, content])),
  };
}

function documented(operation: Operation, schemas: Schemas, errors: Errors): Json {
  const requestBody = bodyOf(operation, schemas);
  const role = operation.role === 'public' ? 'Needs no key.' : `Needs the role \`${operation.role}\`.`;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: `${operation.description}\n\n${role}`,
    parameters: parametersOf(operation, schemas),
    ...(requestBody && { requestBody }),
    responses: answersOf(operation, schemas, errors),
    security: securityOf(operation),
  };
}

/** The OpenAPI 3.1 document of all operations. */
export function openApiDocument(version: string): Json {
  const schemas = new Schemas();
  const errors = new Errors(schemas);
  const paths: Record<string, Json> = {};
  for (const operation of SERVED) {
    const item = paths[operation.path] ?? {};
    item[operation.method.toLowerCase()] = documented(operation, schemas, errors);
    paths[operation.path] = item;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skull Orchestrator',
      version,
      summary: 'The conductor of a talking animatronic skull.',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    externalDocs: { url: '/asyncapi.json', description: 'What is said over MQTT: the AsyncAPI document.' },
    servers: [{ url: '/', description: 'This orchestrator.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: PARAMETERS,
      headers: HEADERS,
      examples: errors.components(),
      schemas: schemas.components(),
    },
  };
}
