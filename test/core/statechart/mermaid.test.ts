import assert from 'node:assert/strict';
import { toMermaid } from '../../../core/statechart/mermaid.ts';
import { sound } from './machine.ts';

const chart = sound({
  id: 'drawn',
  initial: 'Idle',
  on: { stop: { target: 'Idle' } },
  states: {
    Idle: { on: { 'a/b': [{ guard: 'event.n > 1', target: 'Work' }, { actions: [{ command: 'x' }] }], c: {} } },
    Work: {
      initial: 'Fast',
      after: [
        { delay: 500, target: 'Idle' },
        { delay: 'config.ms', target: 'Idle' },
      ],
      states: { Fast: { always: [{ target: 'Slow' }] }, Slow: {} },
    },
  },
});

describe('toMermaid', () => {
  it('draws states, transitions, delays, and those from any state', () => {
    assert.deepEqual(toMermaid(chart, 'Work.Slow').trimEnd().split('\n'), [
      'stateDiagram-v2',
      '  [*] --> s0',
      '  state "Idle" as s0',
      '  state "Work" as s1 {',
      '    [*] --> s2',
      '    state "Fast" as s2',
      '    state "Slow" as s3',
      '  }',
      '  state "∗" as any',
      '  class any anywhere',
      '  any --> s0 : stop',
      '  s0 --> s1 : a/b #91;event.n #62; 1#93;',
      '  s0 --> s0 : a/b<br>c',
      '  s1 --> s0 : 500 ms<br>after config.ms',
      '  s2 --> s3 : always',
      '  classDef current fill:#2f9e44,stroke:#2b8a3e,color:#ffffff,font-weight:bold',
      '  classDef anywhere stroke-dasharray:4 3',
      '  class s3 current',
    ]);
  });

  it('marks nothing where the state is not known', () => {
    assert.doesNotMatch(toMermaid(chart, 'Nowhere'), /class s\d+ current/);
    assert.doesNotMatch(toMermaid(chart), /class s\d+ current/);
  });

  it('keeps syntax out of labels', () => {
    const names = [
      'end',
      'a"b',
      'x{y}',
      'a:b',
      '<b>',
      'a-->b',
      '%% c',
      'a;b',
      'x#35;',
      'direction LR',
      'two\nlines',
      '[*]',
    ];
    const states = Object.fromEntries(names.map((name) => [name, { on: { [name]: { target: 'end' } } }]));
    const lines = toMermaid(sound({ id: 'odd', initial: 'end', states })).split('\n');
    assert.equal(lines.length, 2 + names.length * 2 + 3);
    for (const line of lines.filter((text) => text.startsWith('  state'))) {
      assert.match(line, /^ {2}state "[^"{}:;<>[\]%]*(?:#\d+;[^"{}:;<>[\]%]*)*" as s\d+$/);
    }
    assert.equal(lines.filter((line) => /direction (LR|TB)/.test(line)).length, 0);
    assert.equal(lines.filter((line) => line.replace(/^ {2}s\d+ --> s\d+ : /, '').includes('--')).length, 1);
  });

  it('shortens what is long', () => {
    const guard = Array.from({ length: 30 }, () => 'event.x > 1').join(' && ');
    const text = toMermaid(sound({ id: 'long', initial: 'A', states: { A: { on: { go: { guard, target: 'A' } } } } }));
    assert.ok(text.split('\n').every((line) => line.length < 160));
  });
});
