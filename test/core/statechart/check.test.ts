import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkDefinition } from '../../../core/statechart/check.ts';
import { LIMITS } from '../../../core/statechart/definition.ts';
import { machine, sound } from './machine.ts';

const small = { id: 'small', initial: 'A', context: { n: 0 }, states: { A: {} } };
const inA = (state: object) => ({ ...small, states: { A: state } });
const onGo = (transition: unknown) => inA({ on: { 'a/b': [transition] } });
const doing = (action: unknown) => inA({ entry: [action] });

describe('checkDefinition', () => {
  for (const [what, json, path, message] of [
    ['nothing', undefined, '', /missing/],
    ['a list', [], '', /object/],
    ['text that is not JSON', '{"id": }', '', /not JSON/],
    ['an unknown key', { ...small, sates: {} }, '/sates', /known key/],
    ['a missing initial', { id: 'x', states: { A: {} } }, '/initial', /missing/],
    ['a wrong initial', { ...small, initial: 'B' }, '/initial', /no state "B"/],
    ['no states', { ...small, states: {} }, '/initial', /no state/],
    ['a state that is none', { ...small, states: { A: 5 } }, '/states/A', /object/],
    ['an unknown key in a state', inA({ onEntry: [] }), '/states/A/onEntry', /known key/],
    ['an unknown key in a transition', onGo({ tarjet: 'A' }), '/states/A/on/a~1b/0/tarjet', /known key/],
    ['a transition that is none', onGo('A'), '/states/A/on/a~1b/0', /object/],
    ['an unknown target', onGo({ target: 'B' }), '/states/A/on/a~1b/0/target', /no state "B"/],
    ['an unknown target from any state', { ...small, on: { x: { target: 'A.B' } } }, '/on/x/target', /no state/],
    ['a broken guard', onGo({ guard: 'event.' }), '/states/A/on/a~1b/0/guard', /at character/],
    ['a guard that is no condition', onGo({ guard: 'now + 1' }), '/states/A/on/a~1b/0/guard', /true or false.*double/],
    ['an unknown variable', onGo({ guard: 'evnt.x' }), '/states/A/on/a~1b/0/guard', /Unknown variable: evnt/],
    ['an unknown function', onGo({ guard: 'nope(1)' }), '/states/A/on/a~1b/0/guard', /nope/],
    ['an event without a name', inA({ on: { '': {} } }), '/states/A/on/', /name/],
    ['an action that is neither', doing({ comand: 'x' }), '/states/A/entry/0', /either/],
    ['an action that is both', doing({ command: 'x', assign: { n: '1' } }), '/states/A/entry/0', /either/],
    ['an unknown key in an action', doing({ command: 'x', retian: true }), '/states/A/entry/0/retian', /known key/],
    ['a wrong qos', doing({ command: 'x', qos: 2 }), '/states/A/entry/0/qos', /./],
    ['a command to nobody', doing({ command: 'x', to: 'lane' }), '/states/A/entry/0/to', /not one of .* outputs/],
    ['an output twice', { ...small, outputs: ['lane', 'lane'] }, '/outputs', /./],
    ['a broken payload', doing({ command: 'x', payload: { a: [1, '=1 +'] } }), '/states/A/entry/0/payload/a/1', /./],
    ['a topic that is no text', doing({ command: '=1 + 1' }), '/states/A/entry/0/command', /a text/],
    ['a broken assign', doing({ assign: { n: 'x' } }), '/states/A/entry/0/assign/n', /Unknown variable/],
    ['a broken when', doing({ command: 'x', when: '1' }), '/states/A/entry/0/when', /true or false/],
    ['a delay without time', inA({ after: [{ target: 'A' }] }), '/states/A/after/0/delay', /./],
    ['a delay that is a text', inA({ after: [{ delay: '"x"' }] }), '/states/A/after/0/delay', /milliseconds/],
    [
      'a delay with a broken target',
      inA({ after: [{ delay: 1, target: 'B' }] }),
      '/states/A/after/0/target',
      /no state/,
    ],
    ['always with a broken target', inA({ always: [{ target: 'B' }] }), '/states/A/always/0/target', /no state/],
    ['a compound state without initial', inA({ states: { B: {} } }), '/states/A/initial', /missing/],
    [
      'a compound state with a wrong one',
      inA({ initial: 'C', states: { B: {} } }),
      '/states/A/initial',
      /no state "C"/,
    ],
    ['an initial of nothing', inA({ initial: 'B' }), '/states/A/initial', /no states/],
    ['a name with a dot', { ...small, states: { A: {}, 'B.C': {} } }, '/states/B.C', /dot/],
    ['a name with a #', { ...small, states: { A: {}, '#B': {} } }, '/states/#B', /#/],
    [
      'a value of what does not persist',
      { ...small, context: { m: 1 }, unreadable: { m: 2 } },
      '/unreadable/m',
      /"m" does not persist/,
    ],
    [
      'a value of another type than the variable',
      { ...small, context: { m: false }, persist: ['m'], unreadable: { m: 'on' } },
      '/unreadable/m',
      /another type/,
    ],
    ['an unknown key to persist', { ...small, persist: ['m'] }, '/persist/0', /"m" is not in the context/],
    [
      'a prototype',
      JSON.parse('{"id":"x","initial":"A","states":{"A":{},"__proto__":{}}}'),
      '/states/__proto__',
      /name/,
    ],
    [
      'a prototype for a key',
      doing(JSON.parse('{"assign":{"__proto__":"1"}}')),
      '/states/A/entry/0/assign/__proto__',
      /name/,
    ],
    [
      'an endless expression',
      onGo({ guard: `true${' || true'.repeat(1000)}` }),
      '/states/A/on/a~1b/0/guard',
      /too long/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { definition, issues } = checkDefinition(json);
      assert.equal(definition, undefined);
      assert.ok(
        issues.some((issue) => issue.path === path && message.test(issue.message)),
        JSON.stringify(issues),
      );
    });
  }

  it('names every mistake, not only the first', () => {
    const { issues } = checkDefinition(
      inA({ entry: [{ command: 'x', when: '1' }], on: { a: { guard: 'x' }, b: { target: 'C' } } }),
    );
    assert.deepEqual(
      issues.map(({ path }) => path),
      ['/states/A/entry/0/when', '/states/A/on/a/guard', '/states/A/on/b/target'],
    );
  });

  it('refuses what is too large or too deep, at once', () => {
    const many = Object.fromEntries(Array.from({ length: LIMITS.states + 1 }, (_, index) => [`s${index}`, {}]));
    const deep = Array.from({ length: 1e5 }).reduce<unknown>((inner) => [inner], 1);
    const nested = Array.from({ length: 12 }).reduce<object>((inner) => ({ initial: 'A', states: { A: inner } }), {});
    for (const [json, message] of [
      [{ ...small, initial: 's0', states: many }, /too many: 501, at most 500/],
      [{ ...small, context: { deep } }, /nested too deeply/],
      [{ ...small, ...nested }, /nested too deeply: at most 10/],
      [JSON.stringify(small) + ' '.repeat(LIMITS.json), /too large/],
      ['['.repeat(900_000), /not JSON|too deeply/],
    ] as const) {
      const { issues } = checkDefinition(json);
      assert.match(issues[0]?.message ?? '', message);
    }
  });

  it('accepts JSON text and values alike', () => {
    assert.deepEqual(checkDefinition(JSON.stringify(small)), checkDefinition(small));
    assert.deepEqual(checkDefinition(small), { definition: small, issues: [], warnings: [] });
  });

  it('warns of states that nothing leads to, and of keys that the context does not have', () => {
    const { definition, warnings } = checkDefinition({
      ...small,
      states: {
        A: { on: { go: { target: 'B.D', guard: 'context.typo == 1', actions: [{ assign: { m: '1' } }] } } },
        B: { initial: 'C', states: { C: {}, D: {} } },
        E: { on: { go: { target: 'F' } } },
        F: {},
      },
    });
    assert.ok(definition);
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['/states/A/on/go/guard', '/states/A/on/go/actions/0/assign/m', '/states/B/states/C', '/states/E', '/states/F'],
    );
  });

  it('takes odd names for what they are', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', '*', 'xstate.init', '#A', '\\', '1', ' ', 'é'];
    const safe = names.filter((name) => !name.includes('.') && !name.startsWith('#'));
    const states = Object.fromEntries(
      safe.map((name, index) => [
        name,
        { on: Object.fromEntries(names.map((event) => [event, { target: safe[(index + 1) % safe.length] }])) },
      ]),
    );
    const { send, chart } = machine({ id: 'odd', initial: 'constructor', states });
    for (const event of [...names, 'a.*']) {
      const at = safe.indexOf(chart.state);
      const { to } = send(event);
      assert.equal(to, event === 'a.*' ? safe[at] : safe[(at + 1) % safe.length]);
    }
    assert.equal(send('anything').handled, false);
  });

  it('never throws, whatever it is given', () => {
    const key = fc.constantFrom(
      'id',
      'initial',
      'states',
      'on',
      'entry',
      'after',
      'always',
      'A',
      'command',
      'assign',
      'target',
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>('A', '=event.x', 1, null, true, 'context.n'),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(key, tie('json'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const { definition, issues } = checkDefinition(typeof value === 'object' ? { ...small, ...value } : value);
        assert.equal(definition === undefined, issues.length > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('lets nothing through that cannot run', () => {
    assert.doesNotThrow(() => machine(sound({ ...small, on: { A: { target: 'A' } } }), {}));
  });
});
