import assert from 'node:assert/strict';
import { Expressions, plain } from '../../../core/statechart/expressions.ts';
import { countingRandom } from '../../support/ports.ts';

const scope = {
  event: { n: 3, half: 0.5, list: [1, 2, 3], name: 'jaw', nothing: null },
  eventName: 'voice/state',
  config: { ms: 1500, greetings: ['a', 'b', 'c'], one: ['a'], none: [] },
  context: { n: 2, last: 'a' },
  mode: 'Idle',
  now: 1_000_000_000_000,
};
const value = (source: string, random = [0]) => new Expressions(countingRandom(random)).compile(source).value(scope);

describe('expressions', () => {
  for (const [source, expected] of Object.entries({
    'event.n + 1': 4,
    '1 + event.n': 4,
    'event.n * 1.5': 4.5,
    'config.ms / 2': 750,
    'config.ms / 1000': 1.5,
    'event.n % 2': 1,
    'event.n % event.half': 0,
    '-event.n': -3,
    'event.n == 3': true,
    '3 == event.n': true,
    'event.n != 3': false,
    'event.n in [1, 2, 3]': true,
    '3 in event.list': true,
    'event.half >= 0.5 && event.half < 1': true,
    'event.list[0]': 1,
    'event.list[event.n - 1]': 3,
    'size(event.list) + event.n': 6,
    'event.list.filter(x, x > 1).size()': 2,
    'now + 500': 1_000_000_000_500,
    'now - config.ms': 999_999_998_500,
    '2 + 3': 5,
    'min(event.n, 2)': 2,
    'max(1, event.half)': 1,
    'int(event.half + 2.0)': 2,
    'event.n == 3 ? event.n : 0': 3,
    'has(event.nothing)': true,
    'event.nothing == null': true,
    'has(event.missing)': false,
    'event.?missing.orValue("none")': 'none',
    'event.?missing': null,
    'type == "voice/state"': true,
    'type(event.n) == double && type.startsWith("voice") // and so on': true,
    "mode in ['Idle', 'Sleep']": true,
    "'motion/servo/' + event.name": 'motion/servo/jaw',
    '{"n": event.n, "list": [1, event.half, "x"]}': { n: 3, list: [1, 0.5, 'x'] },
    'timestamp("2026-01-01T00:00:00Z")': '2026-01-01T00:00:00.000Z',
    '7u': 7,
    'newId()': 'id-1',
  })) {
    it(`${source} is ${JSON.stringify(expected)}`, () => assert.deepEqual(value(source), expected));
  }

  it('draw one of a list, never the previous one where there is another', () => {
    const pick = (source: string) => [0, 0.4, 0.999].map((number) => value(source, [number]));
    assert.deepEqual(pick('pick(config.greetings)'), ['a', 'b', 'c']);
    assert.deepEqual(pick('pick(config.greetings, context.last)'), ['b', 'b', 'c']);
    assert.deepEqual(pick('pick(config.one, context.last)'), ['a', 'a', 'a']);
    assert.deepEqual(pick('pick(config.none, context.last)'), [null, null, null]);
    assert.deepEqual(pick('pick(config.greetings, null)'), ['a', 'b', 'c']);
  });

  for (const [source, message] of Object.entries({
    'event.': /at character 7/,
    'event.n >': /at character \d+/,
    'evnt.n > 1': /Unknown variable: evnt \(at character 1\)/,
    'true && evnt.n': /Unknown variable: evnt \(at character 9\)/,
    'type == evnt': /Unknown variable: evnt \(at character 9\)/,
    'nope(event)': /nope/,
    'now + "x"': /no such overload/,
    'this.constructor': /Unknown variable/,
    '1) || (1': /./,
  })) {
    it(`${source} is refused, with the place`, () =>
      assert.throws(() => new Expressions(countingRandom()).compile(source), message));
  }

  for (const source of ['event.constructor', 'event.__proto__', 'context.toString', 'event.list.length']) {
    it(`${source} is not there`, () => assert.throws(() => value(source)));
  }

  it('know which keys of the context they read', () => {
    const { contextKeys } = new Expressions(countingRandom()).compile('context.a == 1 || has(context.b.c) || event.d');
    assert.deepEqual(contextKeys, ['a', 'b']);
  });

  it('are not numbers when they are not finite', () => {
    for (const source of ['event.n / 0', 'event.half / 0.0']) assert.throws(() => value(source), /finite/);
  });

  it('make plain copies of anything, without prototypes to fall for', () => {
    const poisoned: unknown = JSON.parse('{"__proto__": {"bad": 1}, "constructor": 2, "deep": [{"x": null}]}');
    assert.deepEqual(plain(poisoned), { constructor: 2, deep: [{ x: null }] });
    assert.deepEqual(plain(new Map([['a', 1n]])), { a: 1 });
    for (const alien of [() => 1, Symbol('x'), new (class Alien {})()]) assert.throws(() => plain(alien), /not a JSON/);
  });
});
