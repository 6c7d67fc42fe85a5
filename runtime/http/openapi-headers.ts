import { type Operation, ROLES } from '../../core/skull/operations/operation.ts';

/** What is the same for many operations of the OpenAPI document: headers that come in and go out, and keys. */

type Json = Record<string, unknown>;

export const SECURITY_SCHEMES: Json = {
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key, as it is.' },
  bearer: { type: 'http', scheme: 'bearer', description: 'The same key as a Bearer token.' },
};

/** By one of the two, with a key of this role. */
export const securityOf = ({ role }: Operation): Json[] =>
  role === 'public' ? [] : [{ apiKey: [role] }, { bearer: [role] }];

export const HEADERS: Json = {
  'X-Request-ID': {
    description: 'Names the request in the log: what was sent, or one that was made.',
    schema: { type: 'string' },
    example: 'f3c1a9e2',
  },
  'Retry-After': {
    description: 'After how many seconds to come again.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  'WWW-Authenticate': {
    description: 'How to send a key.',
    schema: { type: 'string' },
    example: 'Bearer realm="skull"',
  },
};

const SOME: Readonly<Record<number, string>> = { 401: 'WWW-Authenticate', 429: 'Retry-After', 503: 'Retry-After' };

/** The headers of an answer with this status. */
export function headersOf(status: number): Json {
  const names = ['X-Request-ID', SOME[status]].filter((name) => name !== undefined);
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const header = (name: string, description: string, schema: Json, example: string): Json => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string', ...schema, examples: [example] },
});

export const PARAMETERS: Json = {
  'X-Request-ID': header('X-Request-ID', 'Names the request in the log and in the answer.', {}, 'f3c1a9e2'),
  'X-Role': header(
    'X-Role',
    "Lowers the key's role for this request; it never raises it.",
    { enum: [...ROLES] },
    'viewer',
  ),
  'X-Timezone': header(
    'X-Timezone',
    'The time zone, by its IANA name, in which times are told; UTC where it is absent.',
    {},
    'Europe/Paris',
  ),
  'Last-Event-ID': header('Last-Event-ID', 'Goes on behind the event with this number.', {}, '7'),
};

/** The headers that an operation looks at. */
export function headerParametersOf({ role, success }: Operation): Json[] {
  const streams = success.type === 'text/event-stream';
  const tellsTime = streams || JSON.stringify(success.schema).includes('"date-time"');
  const names = [
    ...(streams ? ['Last-Event-ID'] : []),
    ...(tellsTime ? ['X-Timezone'] : []),
    ...(role === 'public' ? [] : ['X-Role']),
    'X-Request-ID',
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
