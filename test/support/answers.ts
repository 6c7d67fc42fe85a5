import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Operation } from '../../core/skull/operations/operation.ts';
import { openApiDocument } from '../../runtime/http/openapi.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
const document = openApiDocument('0.0.0');
ajv.addSchema(document, 'openapi');
const compiled = new Map<string, ValidateFunction>();

const pointer = (parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** Fails when the body is not what the OpenAPI document says of this operation's answer with this status. */
export function assertDocumented({ id, method, path, success }: Operation, status: number, body: unknown): void {
  const isSuccess = status < 400 || (id === 'getHealth' && status === 503);
  const type = isSuccess ? (success.type ?? 'application/json') : 'application/problem+json';
  const place = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
  let at: unknown = document;
  for (const part of place) at = typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined;
  assert.ok(at, `${id} documents no ${status} as ${type}`);
  const ref = `openapi#${pointer(place)}`;
  const check = compiled.get(ref) ?? ajv.compile({ $ref: ref });
  compiled.set(ref, check);
  assert.ok(check(body), `${id} ${status}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(body)}`);
}
