import { ERROR_CODES, type ErrorCode, SkullError } from '../../core/model/errors.ts';
import { type Problem, toProblem } from '../../core/model/problem.ts';
import type { TSchema } from '../../core/model/type.ts';
import { Type } from '../../core/model/type.ts';
import { SECTION_NAMES, SECTIONS, ServoLimits } from '../../core/skull/config/sections.ts';
import { errorStatuses, type Operation, type Tag } from '../../core/skull/operations/operation.ts';
import { Activity, Health, Mode, Status } from '../../core/skull/operations/service.ts';
import { SERVED } from './routes.ts';

type Json = Record<string, unknown>;

const TAGS: Record<Tag, string> = {
  Service: 'The orchestrator itself, for probes.',
  Skull: 'What the skull shall do, what it does, and the emergency stop.',
  Services: 'The services of the skull: whether they live, and starting and stopping them.',
  Configuration: 'Settings by section. A change through REST, MQTT or a file reaches the other two.',
  Servos: 'Single servos and how far they may turn.',
  Songs: 'Playing songs, and which there are.',
  AI: 'Conversations.',
  Tasks: 'Who may have the body, and when: tasks with priorities.',
  FullAuto: 'What the skull does by itself.',
  Events: 'What happened: the event log, and the events as they come.',
};

const Problems = Type.Object(
  {
    type: Type.String({ description: 'A URN that names the error and stays.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'What is wrong here and what can be done.' }),
    instance: Type.String({ description: 'The path of the request.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String({ description: 'JSON Pointer.' }), message: Type.String() })),
    ),
    request_id: Type.String(),
  },
  { description: 'Problem details of RFC 9457.' },
);

/** Schemas that stand under `components` and are referred to from wherever they occur. */
const NAMED: Readonly<Record<string, TSchema>> = {
  Health,
  Status,
  Activity,
  Mode,
  ServoLimits,
  Problem: Problems,
  ...Object.fromEntries(SECTION_NAMES.map((name) => [`${capital(name)}Config`, SECTIONS[name]])),
};

const nameOf = new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]));

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A schema as plain JSON, with what has a name replaced by a reference to it; `own` is the name of the schema itself. */
function refer(schema: unknown, own?: string): unknown {
  if (Array.isArray(schema)) return schema.map((item) => refer(item));
  if (typeof schema !== 'object' || schema === null) return schema;
  const name = nameOf.get(JSON.stringify(schema));
  if (name !== undefined && name !== own) return { $ref: `#/components/schemas/${name}` };
  const plain = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, refer(value)]));
  // An enumeration of ours says no type, and a reader would be told "any".
  return 'enum' in plain && !('type' in plain) ? { type: 'string', ...plain } : plain;
}

/** What the guard in front of the operations may answer, before an operation sees the request. */
function guardErrors({ role, body }: Operation): ErrorCode[] {
  const errors: ErrorCode[] = ['unavailable'];
  if (role !== 'public') errors.push('unauthorized', 'forbidden');
  if (body !== undefined) errors.push('malformed', 'too_large', 'unsupported_media_type');
  return errors;
}

const DETAILS: Partial<Record<ErrorCode, string>> = {
  invalid: 'The body is invalid: /mode must be equal to one of the allowed values.',
  unauthorized: 'Send the key as X-API-Key or as Authorization: Bearer.',
  estop: 'Playing a song is not possible under emergency stop: release it with POST /estop {"active": false}.',
};

function problemAnswer(operation: Operation, codes: readonly ErrorCode[]): Json {
  const examples = codes.map((code) => [code, { summary: ERROR_CODES[code][1], value: exampleOf(operation, code) }]);
  return {
    description: codes.map((code) => `${ERROR_CODES[code][1]}.`).join(' '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

const exampleOf = ({ path }: Operation, code: ErrorCode): Problem =>
  toProblem(new SkullError(code, DETAILS[code] ?? `${ERROR_CODES[code][1]}.`), path, 'f3c1a9e2');

function answersOf(operation: Operation): Json {
  const { success } = operation;
  const json = {
    [success.type ?? 'application/json']: {
      schema: refer(success.documented ?? success.schema),
      example: success.example,
    },
  };
  const answers: Json = { [success.status]: { description: success.description, content: json } };
  for (const [status, description] of Object.entries(success.also ?? {})) {
    answers[status] = { description, content: json };
  }
  const errors = [...new Set([...operation.errors, ...guardErrors(operation)])];
  for (const [status, codes] of errorStatuses(errors)) answers[status] ??= problemAnswer(operation, codes);
  return answers;
}

function parametersOf({ params, query }: Operation): Json[] {
  const of = (schema: TSchema | undefined, place: 'path' | 'query'): Json[] => {
    const { properties = {}, required = [] }: { properties?: Record<string, TSchema>; required?: string[] } =
      schema ?? {};
    return Object.entries(properties).map(([name, property]) => {
      const { description, ...rest }: TSchema & { description?: string } = property;
      const needed = place === 'path' || (required.includes(name) && !('default' in property));
      return { name, in: place, required: needed, ...(description && { description }), schema: refer(rest) };
    });
  };
  return [...of(params, 'path'), ...of(query, 'query')];
}

/** What a request has to hold: a key that has a default may be left out. */
function asked(schema: TSchema): TSchema {
  const { properties = {}, required }: { properties?: Record<string, TSchema>; required?: string[] } = schema;
  const needed = required?.filter((name) => !('default' in (properties[name] ?? {})));
  return needed?.length === required?.length ? schema : { ...schema, required: needed };
}

function bodyOf({ body }: Operation): Json | undefined {
  if (body === undefined) return undefined;
  const content = { schema: refer(asked(body.documented ?? body.schema)), example: body.example };
  const types = body.types ?? ['application/json'];
  return {
    required: body.absent === undefined,
    content: Object.fromEntries(types.map((type) => [type, content])),
  };
}

function documented(operation: Operation): Json {
  const parameters = parametersOf(operation);
  const requestBody = bodyOf(operation);
  const role = operation.role === 'public' ? 'Needs no key.' : `Needs the role \`${operation.role}\`.`;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description: `${operation.description}\n\n${role}`,
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: answersOf(operation),
    ...(operation.role === 'public' && { security: [] }),
  };
}

/** The OpenAPI 3.1 document of all operations. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of SERVED) {
    const item = paths[operation.path] ?? {};
    item[operation.method.toLowerCase()] = documented(operation);
    paths[operation.path] = item;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Skull Orchestrator',
      version,
      summary: 'The conductor of a talking animatronic skull.',
      description:
        'JSON in and out. Errors are problem details (RFC 9457). `X-Request-ID` is echoed, or made where there is none.\n\nA key has a role: `viewer` reads, `editor` also commands and edits, `admin` also administers. The header `X-Role` may lower it for one request, never raise it.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This orchestrator.' }],
    security: [{ apiKey: [] }, { bearer: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, refer(schema, name)])),
    },
  };
}
