import assert from 'node:assert/strict';
import { type Schema, Validator } from '@cfworker/json-schema';
import fc from 'fast-check';
import { fitsOf } from '../../../core/model/fits.ts';
import { refuseInfinite } from '../../../core/model/schema.ts';

/** A schema, and values that it must know at once. */
const CASES: [schema: Record<string, unknown>, known: unknown[]][] = [
  [{ type: 'string', title: 'A', description: 'B', default: 'c' }, ['', 'a']],
  [{ type: 'boolean' }, [true, false]],
  [{ type: 'null' }, [null]],
  [{ type: 'number', minimum: -1, maximum: 1.5 }, [-1, 0, 1.5]],
  [{ type: 'integer', minimum: 1, maximum: 3 }, [1, 3]],
  [{ enum: ['a', 1, null] }, ['a', 1, null]],
  [{ const: 'a' }, ['a']],
  [{ type: 'string', minLength: 1, maxLength: 2 }, ['a', 'ab']],
  [{ minLength: 2 }, ['abcd', 1]],
  [{ pattern: '^a' }, ['ab', 1]],
  [{ type: 'array', items: { type: 'string' } }, [[], ['a', 'b']]],
  [{ anyOf: [{ enum: ['a'] }, { type: 'integer' }] }, ['a', 7]],
  [
    { type: 'object', required: ['a'], properties: { a: { type: 'string' }, b: {} }, additionalProperties: false },
    [{ a: 'a' }, { a: '', b: null }],
  ],
  [{ type: 'object', properties: { a: { type: 'integer' } } }, [{}, { a: 1, b: 'further' }]],
  [{ type: 'object', properties: { a: { type: 'object', required: ['b'], properties: {} } } }, [{ a: { b: 1 } }]],
  [{}, ['a', 1, true, null]],
];

/** Values that meet these schemas often enough, and what JSON cannot hold. */
const ATOM = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'abc', '🙂', '🙂🙂', 'b'),
  fc.constantFrom(-2, -1, 0, 0.5, 1, 1.5, 3, 4, Number.NaN, Number.POSITIVE_INFINITY),
  fc.constantFrom(true, false, null, undefined, 1n),
);
const { value: VALUE } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, ATOM, fc.array(tie('value'), { maxLength: 3 }), tie('record')),
  record: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'toString'), tie('value'), { maxKeys: 3 }),
}));

function accepts(schema: Schema, value: unknown): boolean {
  try {
    refuseInfinite(value, 'The value');
    return new Validator(schema, '2020-12', false).validate(value).valid;
  } catch {
    return false;
  }
}

describe('the quick check of a schema', () => {
  for (const [schema, known] of CASES) {
    const name = JSON.stringify(schema);
    it(`never accepts what the validator refuses: ${name}`, () => {
      const fits = fitsOf(schema);
      fc.assert(
        fc.property(VALUE, (value) => !fits(value) || accepts(schema, value)),
        { numRuns: 1000 },
      );
    });

    it(`knows what fits: ${name}`, () => {
      for (const value of known) assert.ok(fitsOf(schema)(value), JSON.stringify(value));
    });
  }

  it('leaves to the validator what it does not know', () => {
    for (const schema of [
      { multipleOf: 2 },
      { type: ['string', 'number'] },
      { type: 'object', patternProperties: { a: {} } },
      { type: 'object', additionalProperties: { type: 'string' } },
      { anyOf: [{ not: {} }] },
      { constructor: 1 },
    ]) {
      assert.equal(fitsOf(schema)(schema.type === 'object' ? { a: 'a' } : 2), false);
    }
  });
});
