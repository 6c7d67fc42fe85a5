import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parsed, placesOf } from '../../resources/json-places.js';

const TEXT = `{
  "id": "door",
  "states": {
    "Closed": { "on": { "open": [{ "target": "Open" }, { "target": "Ajar" }] } },
    "a/b~c": {}
  }
}`;

describe('places in a JSON text', () => {
  it('finds keys, items of a list, and names with a slash or a tilde', () => {
    const { find, fault } = placesOf(TEXT);
    assert.equal(fault, undefined);
    assert.deepEqual(find('/id'), { line: 2, column: 3 });
    assert.deepEqual(find('/states/Closed/on/open/1/target'), { line: 4, column: 58 });
    assert.deepEqual(find('/states/a~1b~0c'), { line: 5, column: 5 });
    assert.deepEqual(find(''), { line: 1, column: 1 });
  });

  it('finds the nearest place around what is missing', () => {
    const { find } = placesOf(TEXT);
    assert.deepEqual(find('/states/Closed/on/open/7/target'), find('/states/Closed/on/open'));
    assert.deepEqual(find('/initial'), { line: 1, column: 1 });
  });

  const faults: [text: string, code: string, found: string, line: number, column: number][] = [
    ['{\n  "a": 1\n  "b": 2\n}', 'comma', '"', 3, 3],
    ['{"a" 1}', 'colon', '1', 1, 6],
    ['{"a": 1,}', 'key', '}', 1, 9],
    ['[1,]', 'value', ']', 1, 4],
    ['{\n  a: 1}', 'key', 'a', 2, 3],
    ["{'a': 1}", 'key', "'", 1, 2],
    ['{"a": tru}', 'value', 'tru', 1, 7],
    ['{"a": 01}', 'number', '01', 1, 7],
    ['{"a": "x\ny"}', 'string', '"', 1, 7],
    ['{"a": "\\q"}', 'escape', '\\q', 1, 8],
    ['{"a": 1', 'end', '', 1, 8],
    ['', 'end', '', 1, 1],
    ['{} {}', 'extra', '{', 1, 4],
    ['{\n"a": 1,\n"a": 2}', 'duplicate', 'a', 3, 1],
  ];
  for (const [text, code, found, line, column] of faults) {
    it(`names the fault in ${JSON.stringify(text)}`, () => {
      const { fault, at } = placesOf(text);
      assert.deepEqual({ code: fault?.code, found: fault?.found }, { code, found });
      assert.deepEqual(at(fault?.offset ?? -1), { line, column });
    });
  }

  it('finds no fault in what JSON.stringify writes, and each fault that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        assert.equal(placesOf(JSON.stringify(value, null, indent)).fault, undefined);
      }),
    );
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom(...'{}[]",:1x\\ '), (text, position, letter) => {
        const at = position % (text.length + 1);
        const damaged = text.slice(0, at) + letter + text.slice(at + 1);
        const { fault } = placesOf(damaged);
        const isJson = (() => {
          try {
            JSON.parse(damaged);
            return true;
          } catch {
            return false;
          }
        })();
        // A key that comes twice is a fault of its own, and the first one found where another follows.
        if (fault?.code !== 'duplicate') assert.equal(fault === undefined, isJson, damaged);
      }),
    );
  });

  it('reads text where it can, and keeps it where it cannot', () => {
    assert.deepEqual(parsed('{"a":1}'), { a: 1 });
    assert.equal(parsed('{"a":'), '{"a":');
    assert.deepEqual(parsed({ a: 1 }), { a: 1 });
  });
});
