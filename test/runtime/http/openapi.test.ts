import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { openApiDocument } from '../../../runtime/http/openapi.ts';
import { SERVED } from '../../../runtime/http/routes.ts';
import { lint } from '../../support/redocly.ts';

/** https://spec.openapis.org/oas/3.1/schema/2022-10-07, by the OpenAPI Initiative, Apache License 2.0. */
const OFFICIAL = path.resolve(import.meta.dirname, '../../fixtures/openapi-3.1.schema.json');

type Json = Record<string, unknown>;
type Operation = Record<string, unknown> & { method: string; place: string; responses: Record<string, Json> };

const document = openApiDocument('1.2.3');
const objectOf = (value: unknown): Json => Object(value) as Json;

const operations: Operation[] = Object.entries(objectOf(document.paths)).flatMap(([place, item]) =>
  Object.entries(objectOf(item)).map(([method, operation]) => ({
    ...objectOf(operation),
    method: method.toUpperCase(),
    place,
    responses: objectOf(objectOf(operation).responses) as Record<string, Json>,
  })),
);

const resolved = (value: unknown): Json => {
  const { $ref } = objectOf(value);
  if (typeof $ref !== 'string') return objectOf(value);
  return $ref
    .slice(2)
    .split('/')
    .reduce<Json>((at, step) => objectOf(at[step]), document);
};

/** Every part of the document that is an object, with the place where it stands; not what examples and defaults hold. */
function* parts(value: unknown, place = ''): Generator<[string, Json]> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* parts(item, `${place}/${index}`);
  else if (typeof value === 'object' && value !== null) {
    yield [place, value as Json];
    for (const [key, part] of Object.entries(value)) {
      if (!['example', 'examples', 'default', 'value'].includes(key)) yield* parts(part, `${place}/${key}`);
    }
  }
}

const isSchemaOfObject = (part: Json): boolean => typeof part.properties === 'object' && 'type' in part;

describe('the OpenAPI document', () => {
  it('has each operation, once', () => {
    const found = operations.map(({ method, place, operationId }) => `${method} ${place} ${operationId}`);
    assert.deepEqual(found.sort(), SERVED.map(({ id, method, path: at }) => `${method} ${at} ${id}`).sort());
  });

  it('says of each operation who may call it, and what it answers', () => {
    for (const operation of operations) {
      const { operationId: id, summary, description, tags, security, responses } = operation;
      const role = SERVED.find((one) => one.id === id)?.role ?? '';
      assert.ok(summary && Array.isArray(tags) && tags.length === 1, String(id));
      assert.match(String(description), role === 'public' ? /Needs no key/ : new RegExp(`Needs the role \`${role}\``));
      assert.deepEqual(security, role === 'public' ? [] : [{ apiKey: [role] }, { bearer: [role] }]);
      const needed = { public: ['400', '503'], viewer: ['400', '401', '429', '503'] }[String(role)];
      for (const status of needed ?? ['400', '401', '403', '429', '503']) {
        assert.ok(responses[status], `${id} ${status}`);
      }
    }
    const move = operations.find(({ operationId }) => operationId === 'moveServo');
    const statuses = '200 400 401 403 404 408 409 413 415 422 429 503'.split(' ');
    assert.deepEqual(Object.keys(move?.responses ?? {}).sort(), statuses);
  });

  it('names the headers of each answer, and those that are listened to', () => {
    for (const { operationId, responses, parameters, security } of operations) {
      for (const [status, { headers }] of Object.entries(responses)) {
        const names = Object.keys(objectOf(headers));
        assert.ok(names.includes('X-Request-ID'), `${operationId} ${status}`);
        assert.equal(names.includes('WWW-Authenticate'), status === '401');
        assert.equal(names.includes('Retry-After'), status === '429' || status === '503');
      }
      const asked = (parameters as unknown[]).map((parameter) => resolved(parameter).name);
      assert.ok(asked.includes('X-Request-ID'));
      assert.equal(asked.includes('X-Role'), (security as unknown[]).length > 0);
    }
    const zoned = operations.filter(({ parameters }) => JSON.stringify(parameters).includes('X-Timezone'));
    const ids = zoned.map(({ operationId }) => operationId);
    for (const id of ['getStatus', 'listServices', 'listTasks', 'streamEvents']) assert.ok(ids.includes(id), id);
    assert.ok(!ids.includes('getMode'));
  });

  it('has its tags in the order of a first visit', () => {
    const names = (document.tags as Json[]).map(({ name }) => name);
    const order = 'Service Skull Services Configuration Servos Songs AI FullAuto Tasks Events';
    assert.deepEqual(names, order.split(' '));
    for (const { description } of document.tags as Json[]) assert.ok(description);
  });

  it('describes every property', () => {
    const silent = [...parts(document)].flatMap(([place, part]) =>
      isSchemaOfObject(part)
        ? Object.entries(objectOf(part.properties))
            .filter(([, property]) => !('description' in objectOf(property) || '$ref' in objectOf(property)))
            .map(([name]) => `${place} ${name}`)
        : [],
    );
    assert.deepEqual(silent, []);
    for (const { parameters } of operations) {
      for (const parameter of parameters as unknown[]) assert.ok(resolved(parameter).description);
    }
  });

  it('writes nothing down twice', () => {
    const seen = new Map<string, string>();
    for (const [place, part] of parts(document)) {
      if (!isSchemaOfObject(part) || Object.keys(objectOf(part.properties)).length < 3) continue;
      const text = JSON.stringify(part);
      assert.equal(seen.get(text), undefined, place);
      seen.set(text, place);
    }
  });

  it('has examples that fit', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const components = objectOf(document.components);
    let count = 0;
    const fits = (place: string, schema: unknown, example: unknown) => {
      count += 1;
      const check = ajv.compile({ ...objectOf(schema), components });
      assert.ok(check(example), `${place}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(example)}`);
    };
    for (const [place, { schema, example, examples }] of parts(document)) {
      if (example !== undefined && schema !== undefined) fits(place, schema, example);
      if (place.includes('/content/') && examples !== undefined) {
        for (const one of Object.values(objectOf(examples))) fits(place, schema, resolved(one).value);
      }
    }
    for (const [place, part] of parts(document)) {
      if (!Array.isArray(part.examples) || place.startsWith('/components/headers')) continue;
      for (const one of part.examples) fits(place, part, one);
    }
    assert.ok(count > 200);
  });

  it('holds nothing that is only for us, and refers to what it says over MQTT', () => {
    assert.doesNotMatch(JSON.stringify([...parts(document)].map(([, part]) => Object.keys(part))), /"x-/);
    assert.equal(objectOf(document.externalDocs).url, '/asyncapi.json');
  });

  it('fits the official schema', () => {
    // Ajv takes the dynamic reference for one that allows no properties: said statically it is the same.
    const text = readFileSync(OFFICIAL, 'utf8').replaceAll(/"\$dynamicRef": "#meta"/g, '"$ref": "#/$defs/schema"');
    const check = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(JSON.parse(text));
    assert.ok(check(document), JSON.stringify(check.errors));
    assert.ok(!check({ ...document, more: 1 }));
  });

  it('passes the linter without a warning', function () {
    this.timeout(60_000);
    assert.deepEqual(lint(document), []);
  });
});
