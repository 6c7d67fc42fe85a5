import assert from 'node:assert/strict';
import { issuesOf } from '../../../core/model/schema.ts';
import { type TSchema, Type } from '../../../core/model/type.ts';

describe('what is wrong with a value', () => {
  const told: readonly [schema: TSchema, value: unknown, ...messages: string[]][] = [
    [Type.Integer(), 'x', ' must be a whole number'],
    [Type.Boolean(), 0, ' must be true or false'],
    [Type.Union([Type.String(), Type.Null()]), 7, ' must be a string, or must be null'],
    [Type.Enum(['on', 'off']), 'of', ' must be one of on, off'],
    [Type.Literal('on'), 'off', ' must be on'],
    [Type.Number({ minimum: 1 }), 0, ' must be at least 1'],
    [Type.Number({ maximum: 1 }), 2, ' must be at most 1'],
    [Type.String({ minLength: 1 }), '', ' must not be empty'],
    [Type.String({ maxLength: 1 }), 'xx', ' must have at most 1 character'],
    [Type.String({ pattern: '\\S' }), ' ', ' must not be blank'],
    [Type.String({ pattern: '^a' }), 'b', ' must match the pattern ^a'],
    [Type.String({ format: 'date-time' }), '2026-01-01', ' must be a date-time'],
    [Type.Array(Type.Integer(), { minItems: 2 }), [1], ' must have at least 2 items'],
    [Type.Array(Type.Integer(), { uniqueItems: true }), [1, 1], ' must not have the same item twice'],
    [Type.Object({ a: Type.String() }), {}, '/a is missing'],
    [Type.Object({}, { additionalProperties: false }), { 'a/b': 1 }, '/a~1b is not a known key'],
    [Type.Object({}, { minProperties: 1 }), {}, ' must have at least 1 key'],
    [Type.Unknown(), { 'a/b': [1, Number.POSITIVE_INFINITY] }, '/a~1b/1 must be a finite number'],
    [Type.Number(), Number.NaN, ' must be a finite number'],
  ];
  for (const [schema, value, ...messages] of told) {
    it(`is told in words: ${messages.join('; ')}`, () => {
      const issues = issuesOf(schema, value).map(({ path, message }) => `${path} ${message}`);
      assert.deepEqual(issues, messages);
    });
  }
});
