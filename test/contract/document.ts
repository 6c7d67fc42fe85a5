import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answered, Client } from './client.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: Json;
}

/** An operation as the served document has it. */
export interface Documented {
  id: string;
  method: string;
  path: string;
  parameters: readonly Parameter[];
  /** By media type; undefined where there is no body. */
  body: { required: boolean; content: Readonly<Record<string, { schema: Json; example?: unknown }>> } | undefined;
  /** Every answer that it may give: a status, and of an error the code: `200`, `409 estop`. */
  answers: readonly string[];
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

const objectOf = (value: unknown): Json => Object(value) as Json;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const pointer = (parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** The codes of an error are the names of its examples. */
function answersIn(responses: Json): string[] {
  return Object.entries(responses).flatMap(([status, response]) => {
    const { examples } = objectOf(objectOf(objectOf(response).content)['application/problem+json']);
    const codes = Object.keys(objectOf(examples));
    return codes.length === 0 ? [status] : codes.map((code) => `${status} ${code}`);
  });
}

/** The document that a host serves, and what it says of answers. */
export class ApiDocument {
  readonly operations: readonly Documented[];
  readonly #document: Json;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  readonly #compiled = new Map<string, ValidateFunction>();

  private constructor(document: Json) {
    this.#document = document;
    this.#ajv.addSchema(document, 'openapi');
    this.operations = Object.entries(objectOf(document.paths)).flatMap(([path, item]) =>
      METHODS.filter((method) => method in objectOf(item)).map((method) =>
        this.#operation(path, method, objectOf(objectOf(item)[method])),
      ),
    );
  }

  static async read(client: Client): Promise<ApiDocument> {
    const answer = await client.json('GET', '/openapi.json');
    assert.equal(answer.status, 200);
    return new ApiDocument(objectOf(answer.body));
  }

  /** The operation with this id. */
  operation(id: string): Documented {
    return this.operations.find((operation) => operation.id === id) ?? assert.fail(`no operation ${id} is documented`);
  }

  /** What a reference in it stands for; anything else as it is. */
  resolve(value: unknown): Json {
    const { $ref: ref, ...rest } = objectOf(value);
    if (typeof ref !== 'string') return objectOf(value);
    const steps = ref.slice(2).split('/');
    const found = steps.reduce<Json>((at, step) => objectOf(at[decodeURIComponent(step)]), this.#document);
    return { ...this.resolve(found), ...rest };
  }

  /** What is wrong with an answer by what is documented; undefined where all is well. */
  faultOf({ id, method, path }: Documented, { status, headers, type, text, body }: Answered): string | undefined {
    const said = `${id} answered ${status} ${type} ${text.slice(0, 300)}`;
    if (typeof headers['x-request-id'] !== 'string') return `${said}: without X-Request-ID`;
    const place = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const response = place.reduce<Json>((at, step) => objectOf(at[step]), this.#document);
    if (Object.keys(response).length === 0) return `${said}: ${status} is not documented`;
    const promised = Object.keys(objectOf(response.content)).find((one) => one.split(';', 1)[0] === type);
    if (promised === undefined) return `${said}: ${type} is not documented for ${status}`;
    if (!/json$/.test(type)) return undefined;
    if (body === undefined) return `${said}: not JSON`;
    const check = this.#check([...place, 'content', promised, 'schema']);
    return check(body) ? undefined : `${said}: ${this.#ajv.errorsText(check.errors)}`;
  }

  #check(place: readonly string[]): ValidateFunction {
    const ref = `openapi#${pointer(place)}`;
    const check = this.#compiled.get(ref) ?? this.#ajv.compile({ $ref: ref });
    this.#compiled.set(ref, check);
    return check;
  }

  #operation(path: string, method: string, operation: Json): Documented {
    const { requestBody } = operation;
    const { required, content } = objectOf(requestBody);
    const body = requestBody === undefined ? undefined : { required: required === true, content: objectOf(content) };
    return {
      id: String(operation.operationId),
      method: method.toUpperCase(),
      path,
      parameters: listOf(operation.parameters).map((parameter) => this.resolve(parameter) as unknown as Parameter),
      body: body as Documented['body'],
      answers: answersIn(objectOf(operation.responses)),
    };
  }
}
