import assert from 'node:assert/strict';
import { Statechart } from '../../../core/statechart/statechart.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { countingRandom } from '../../support/ports.ts';
import { machine, sound } from './machine.ts';

const say = (command: string, payload: unknown = '') => ({ command, payload });

describe('Statechart', () => {
  describe('transitions', () => {
    const door = {
      id: 'door',
      initial: 'Closed',
      context: { mode: 'day', opened: 0 },
      on: { reset: { target: 'Closed', actions: [say('buzzer', 'long')] } },
      states: {
        Closed: {
          on: {
            push: [
              {
                guard: 'event.force > config.limit',
                target: 'Open',
                actions: [say('motor', { force: '=event.force' })],
              },
              { guard: 'event.force > 0', actions: [say('buzzer', 'short')] },
            ],
          },
        },
        Open: { on: { push: { target: 'Closed' } } },
      },
    };
    const closed = () => machine(door, { config: { limit: 5 } });

    it('begins in the initial state and says so', () => {
      const { chart, records } = closed();
      assert.equal(chart.state, 'Closed');
      assert.deepEqual(
        records.map(({ from, to, event, changed }) => ({ from, to, event, changed })),
        [{ from: '', to: 'Closed', event: 'start', changed: true }],
      );
    });

    it('takes the first transition whose guard holds', () => {
      const { send } = closed();
      assert.deepEqual(send('push', { force: 2 }), {
        handled: true,
        changed: false,
        from: 'Closed',
        to: 'Closed',
        commands: [{ topic: 'buzzer', payload: 'short' }],
      });
      assert.deepEqual(send('push', { force: 9 }), {
        handled: true,
        changed: true,
        from: 'Closed',
        to: 'Open',
        commands: [{ topic: 'motor', payload: { force: 9 } }],
      });
    });

    it('leaves what nothing is written for alone, and tells nobody', () => {
      const { send, records } = closed();
      records.splice(0);
      for (const [type, payload] of [
        ['push', { force: 0 }],
        ['pull', {}],
        ['constructor', {}],
        ['__proto__', {}],
      ] as const) {
        assert.deepEqual(send(type, payload), {
          handled: false,
          changed: false,
          from: 'Closed',
          to: 'Closed',
          commands: [],
        });
      }
      assert.deepEqual(records, []);
    });

    it('tries the transitions from any state last', () => {
      const { send } = closed();
      send('push', { force: 9 });
      assert.equal(send('reset').to, 'Closed');
    });

    it('from any state enter their target anew, but never the beginning', () => {
      const { send, told } = machine({
        id: 'root',
        initial: 'A',
        entry: [say('boot')],
        on: { again: { target: 'A', reenter: true }, once: { target: 'A' } },
        states: { A: { entry: [say('in A')] } },
      });
      told();
      for (const event of ['again', 'once']) {
        send(event);
        assert.deepEqual(told(), ['in A ""']);
      }
    });

    it('mean a sibling before a state of the root', () => {
      const { send } = machine({
        id: 'names',
        initial: 'A',
        states: {
          A: { initial: 'C', states: { C: { on: { go: { target: 'B' } } }, B: { on: { go: { target: 'A' } } } } },
          B: {},
        },
      });
      assert.deepEqual([send('go').to, send('go').to], ['A.B', 'A.C']);
    });

    it('tells its listeners until they leave', () => {
      const { chart, send, records } = closed();
      let heard = 0;
      const leave = chart.onTransition(() => {
        heard += 1;
      });
      const payload = { force: 9 };
      send('push', payload);
      leave();
      send('push');
      assert.equal(heard, 1);
      assert.deepEqual(records[1], {
        from: 'Closed',
        to: 'Open',
        changed: true,
        event: 'push',
        payload,
        commands: [{ topic: 'motor', payload: { force: 9 } }],
        time: Date.parse('2026-01-01T00:00:00Z'),
      });
    });

    it('holds when a listener fails, and reports it', () => {
      const { chart, send, errors } = closed();
      chart.onTransition(() => {
        throw new Error('deaf');
      });
      assert.equal(send('push', { force: 9 }).to, 'Open');
      assert.match(errors[0]?.message ?? '', /deaf/);
      assert.equal(send('push').to, 'Closed');
    });

    it('finishes one event before it begins the next, which a listener sends', () => {
      const { chart, send, records } = closed();
      const outcomes: unknown[] = [];
      chart.onTransition(({ to }) => {
        if (to === 'Open') outcomes.push(chart.send({ type: 'push' }), chart.state);
      });
      assert.equal(send('push', { force: 9 }).to, 'Open');
      assert.equal(chart.state, 'Closed');
      assert.equal((outcomes[0] as { queued?: true }).queued, true);
      assert.equal(outcomes[1], 'Open');
      assert.deepEqual(
        records.map(({ to }) => to),
        ['Closed', 'Open', 'Closed'],
      );
    });

    it('breaks a circle of events that cause each other', () => {
      const { chart, send, errors, records } = closed();
      chart.onTransition(() => void chart.send({ type: 'push', payload: { force: 9 } }));
      send('push', { force: 9 });
      assert.ok(records.length < 200);
      assert.match(errors[0]?.message ?? '', /caused each other/);
    });
  });

  describe('actions', () => {
    it('run exit, transition, entry, in order, and each sees the assigns before it', () => {
      const { send, told, chart } = machine({
        id: 'order',
        initial: 'A',
        context: { n: 1 },
        entry: [say('start', '=context.n'), { assign: { n: 'context.n + 1' } }],
        states: {
          A: {
            entry: [say('in A', '=context.n')],
            exit: [{ assign: { n: 'context.n * 10' } }, say('out A', '=context.n')],
            on: {
              go: {
                target: 'B',
                actions: [say('go', '=context.n'), { assign: { n: 'context.n + 5' } }, say('gone', '=context.n')],
              },
            },
          },
          B: {
            entry: [{ assign: { n: '-context.n' } }, say('in B', ['=context.n', { n: '=context.n' }, 'n', null, 1])],
          },
        },
      });
      assert.deepEqual(told(), ['start 1', 'in A 2']);
      send('go');
      assert.deepEqual(told(), ['out A 20', 'go 20', 'gone 25', 'in B [-25,{"n":-25},"n",null,1]']);
      assert.deepEqual(chart.context, { n: -25 });
    });

    it('of one assign see the values before it', () => {
      const { send, chart } = machine({
        id: 'swap',
        initial: 'A',
        context: { x: 1, y: 2 },
        states: { A: { on: { swap: { actions: [{ assign: { x: 'context.y', y: 'context.x' } }] } } } },
      });
      send('swap');
      assert.deepEqual(chart.context, { x: 2, y: 1 });
    });

    it('are carried out only when told, with topic, retain and qos as written', () => {
      const { send } = machine({
        id: 'when',
        initial: 'A',
        states: {
          A: {
            on: {
              go: {
                actions: [
                  { command: "='servo/' + event.name", payload: {}, retain: true, qos: 1, when: 'event.on' },
                  { command: 'never', when: '!event.on' },
                  { command: 'bare' },
                ],
              },
            },
          },
        },
      });
      assert.deepEqual(send('go', { name: 'jaw', on: true }).commands, [
        { topic: 'servo/jaw', payload: {}, retain: true, qos: 1 },
        { topic: 'bare', payload: '' },
      ]);
    });

    it('that fail are skipped and reported with their place; the others go on', () => {
      const { send, errors, chart } = machine({
        id: 'fail',
        initial: 'A',
        context: { n: 1 },
        states: {
          A: {
            on: {
              'a/b': {
                target: 'B',
                actions: [
                  say('one', '=event.missing'),
                  { assign: { n: 'event.missing' } },
                  say('two'),
                  { command: '=event.number', payload: 1 },
                  { command: 'three', when: 'event.number' },
                  say('ratio', '=event.number / 0'),
                ],
              },
            },
          },
          B: {},
        },
      });
      const { commands, to } = send('a/b', { number: 3 });
      assert.deepEqual(commands, [{ topic: 'two', payload: '' }]);
      assert.equal(to, 'B');
      assert.deepEqual(chart.context, { n: 1 });
      assert.deepEqual(
        errors.map(({ path }) => path),
        [0, 1, 3, 4, 5].map((index) => `/states/A/on/a~1b/actions/${index}`),
      );
      assert.match(errors[0]?.message ?? '', /No such key: missing \(at character 7\)/);
    });

    it('hand out values of their own, not the event', () => {
      const { send, chart } = machine({
        id: 'own',
        initial: 'A',
        context: { last: null },
        states: { A: { on: { go: { actions: [{ assign: { last: 'event' } }, say('copy', '=context.last')] } } } },
      });
      const payload = { deep: [1] };
      const { commands } = send('go', payload);
      payload.deep.push(2);
      for (const command of commands) (command.payload as typeof payload).deep.push(3);
      assert.deepEqual(chart.context, { last: { deep: [1] } });
    });
  });

  describe('a guard that cannot be answered', () => {
    it('is false, is reported, and changes nothing', () => {
      const { send, errors, chart } = machine({
        id: 'guard',
        initial: 'A',
        states: {
          A: {
            on: {
              go: [
                { guard: 'event.n > 1', target: 'B' },
                { guard: 'event.n', target: 'B' },
              ],
            },
          },
          B: {},
        },
      });
      for (const payload of [
        undefined,
        null,
        'text',
        7,
        [],
        { n: 'x' },
        { n: { constructor: 1 } },
        new Map(),
        Buffer.of(1),
      ])
        assert.equal(send('go', payload).handled, false);
      assert.equal(chart.state, 'A');
      assert.ok(errors.length >= 9);
      assert.equal(errors[0]?.path, '/states/A/on/go/0/guard');
    });

    it('may ask first whether there is a key', () => {
      const { send, errors } = machine({
        id: 'has',
        initial: 'A',
        states: {
          A: { on: { go: [{ guard: '!has(event.id) || event.id == "x"', target: 'B' }] } },
          B: { on: { back: { target: 'A' } } },
        },
      });
      for (const payload of [undefined, null, {}, 'text', { id: 'x' }]) {
        assert.equal(send('go', payload).to, 'B');
        send('back');
      }
      assert.equal(send('go', { id: 'y' }).handled, false);
      assert.deepEqual(errors, []);
    });
  });

  describe('nested states', () => {
    const player = {
      id: 'player',
      initial: 'Off',
      states: {
        Off: { on: { power: { target: 'On' }, resume: { target: 'On.Paused' } } },
        On: {
          initial: 'Playing',
          entry: [say('lamp', 'on')],
          exit: [say('lamp', 'off')],
          on: { power: { target: 'Off' }, again: { target: 'On', reenter: true } },
          states: {
            Playing: { entry: [say('play')], on: { pause: { target: 'Paused' } } },
            Paused: {
              entry: [say('pause')],
              on: { pause: { target: 'Playing' }, power: [{ guard: 'has(event.lock)' }] },
            },
          },
        },
      },
    };

    it('are entered by their initial state or by a path, and reported by their path', () => {
      const { send, told } = machine(player);
      assert.equal(send('power').to, 'On.Playing');
      assert.deepEqual(told(), ['lamp "on"', 'play ""']);
      assert.equal(send('pause').to, 'On.Paused');
      assert.deepEqual(told(), ['pause ""']);
      assert.equal(send('power').to, 'Off');
      assert.deepEqual(told(), ['lamp "off"']);
      assert.equal(send('resume').to, 'On.Paused');
    });

    it('go before those around them, which are tried next', () => {
      const { send } = machine(player);
      send('resume');
      assert.deepEqual([send('power', { lock: 1 }).handled, send('power').to], [true, 'Off']);
    });

    it('are left and entered anew only when told', () => {
      const { send, told, records } = machine(player);
      send('power');
      told();
      send('again');
      assert.equal(records[0]?.reentered, true);
      assert.deepEqual(told(), ['lamp "off"', 'lamp "on"', 'play ""']);
    });
  });

  describe('always', () => {
    const sorter = {
      id: 'sorter',
      initial: 'Wait',
      context: { weight: 0 },
      states: {
        Wait: { on: { item: { target: 'Weigh', actions: [{ assign: { weight: 'event.weight' } }] } } },
        Weigh: { always: [{ guard: 'context.weight > 10', target: 'Heavy' }, { target: 'Light' }] },
        Heavy: {},
        Light: { on: { item: { target: 'Round' } } },
        Round: { always: [{ target: 'About', actions: [say('round')] }] },
        About: { always: [{ target: 'Round' }] },
      },
    };

    it('goes on at once, in one record', () => {
      const { send, records } = machine(sorter);
      assert.equal(send('item', { weight: 11 }).to, 'Heavy');
      assert.deepEqual(
        records.map(({ from, to }) => [from, to]),
        [
          ['', 'Wait'],
          ['Wait', 'Heavy'],
        ],
      );
    });

    it('that never ends is reported, and nothing happened', () => {
      const { send, errors, chart, told } = machine(sorter);
      send('item', { weight: 1 });
      told();
      assert.equal(send('item').handled, false);
      assert.equal(chart.state, 'Light');
      assert.deepEqual(told(), []);
      assert.match(errors[0]?.message ?? '', /loop/i);
    });
  });

  describe('delays', () => {
    const lamp = {
      id: 'lamp',
      initial: 'Off',
      context: { n: 0 },
      states: {
        Off: { on: { on: { target: 'On' } } },
        On: {
          on: {
            on: { target: 'On', reenter: true },
            stay: { target: 'On' },
            note: { actions: [say('noted')] },
            off: { target: 'Off' },
          },
          after: [
            { delay: 400, actions: [say('half', '=type')] },
            { delay: 'config.on_ms', target: 'Off', guard: '!config.locked' },
          ],
        },
      },
    };
    const lit = (config: Record<string, unknown> = { on_ms: 1000, locked: false }) => {
      const made = machine(lamp, { config });
      made.send('on');
      return made;
    };

    it('end a state, in its time, with the event `delay`', () => {
      const { clock, chart, records } = lit();
      clock.advance(999);
      assert.equal(chart.state, 'On');
      clock.advance(1);
      assert.equal(chart.state, 'Off');
      assert.deepEqual(
        records.slice(2).map(({ event, to, commands }) => [event, to, commands[0]?.payload]),
        [
          ['delay', 'On', 'delay'],
          ['delay', 'Off', undefined],
        ],
      );
    });

    it('end with their state', () => {
      const { clock, send } = lit();
      send('off');
      assert.equal(clock.pending, 0);
    });

    it('run on when the setting changes; the next entry has the new one', () => {
      const { clock, chart, config, send } = lit();
      config.on_ms = 5000;
      clock.advance(1000);
      assert.equal(chart.state, 'Off');
      send('on');
      clock.advance(4999);
      assert.equal(chart.state, 'On');
    });

    it('begin again with `reenter`, and only then', () => {
      const { clock, chart, send, records } = lit();
      clock.advance(900);
      send('stay');
      send('note');
      assert.equal(records.at(-1)?.reentered, undefined);
      send('on');
      assert.equal(records.at(-1)?.reentered, true);
      clock.advance(999);
      assert.equal(chart.state, 'On');
      clock.advance(1);
      assert.equal(chart.state, 'Off');
    });

    it('are guarded when they end', () => {
      const { clock, chart } = lit({ on_ms: 1000, locked: true });
      clock.advance(10_000);
      assert.equal(chart.state, 'On');
    });

    for (const on_ms of [0, -5, 'soon', null, undefined, Number.NaN]) {
      it(`of ${on_ms} never end`, () => {
        const { clock, chart, errors } = lit({ on_ms, locked: false });
        clock.advance(1e9);
        assert.equal(chart.state, 'On');
        assert.equal(errors.length, typeof on_ms === 'number' && !Number.isNaN(on_ms) ? 0 : 1);
        if (errors[0]) assert.equal(errors[0].path, '/states/On/after/1/delay');
      });
    }

    it('may be longer than a timer of Node is', () => {
      const clock = new (class extends SimulatedClock {
        override setTimeout(callback: () => void, ms: number): unknown {
          return super.setTimeout(callback, ms > 2 ** 31 - 1 ? 1 : ms);
        }
      })();
      const { chart, send } = machine(lamp, { clock, config: { on_ms: 2 ** 32, locked: false } });
      send('on');
      clock.advance(2 ** 32 - 1);
      assert.equal(chart.state, 'On');
      clock.advance(1);
      assert.equal(chart.state, 'Off');
    });

    it('run for the states around, too', () => {
      const { clock, chart, send } = machine({
        id: 'nest',
        initial: 'A',
        states: {
          A: {
            initial: 'A1',
            after: [{ delay: 100, target: 'B' }],
            states: { A1: { on: { go: { target: 'A2' } } }, A2: {} },
          },
          B: {},
        },
      });
      clock.advance(60);
      send('go');
      clock.advance(39);
      assert.equal(chart.state, 'A.A2');
      clock.advance(1);
      assert.equal(chart.state, 'B');
    });
  });

  describe('start and stop', () => {
    const counter = {
      id: 'counter',
      initial: 'A',
      context: { mode: 'x', n: 0, latch: false },
      persist: ['latch'],
      entry: [say('boot', '=context.latch')],
      states: {
        A: { on: { add: { target: 'B', actions: [{ assign: { n: 'context.n + 1', latch: 'true' } }] } } },
        B: { entry: [say('in B')], after: [{ delay: 1000, target: 'A' }] },
      },
    };

    it('restores values of a former life, of known keys only', () => {
      const { chart, told } = machine(counter, { restored: { latch: true, alien: 1 } });
      assert.deepEqual(chart.context, { mode: 'x', n: 0, latch: true });
      assert.deepEqual(told(), ['boot true']);
    });

    it('goes on from a snapshot: state, context, and what was left of each delay', () => {
      const first = machine(counter);
      first.send('add');
      first.clock.advance(700);
      const snapshot = JSON.parse(JSON.stringify(first.chart.snapshot()));
      const second = machine(counter, { snapshot });
      assert.equal(second.chart.state, 'B');
      assert.deepEqual(second.chart.context, { mode: 'x', n: 1, latch: true });
      assert.deepEqual(second.told(), []);
      second.clock.advance(299);
      assert.equal(second.chart.state, 'B');
      second.clock.advance(1);
      assert.equal(second.chart.state, 'A');
    });

    for (const [what, change] of [
      ['another statechart', { id: 'other' }],
      ['an unknown state', { state: 'C' }],
      ['no state', { state: undefined }],
      ['odd timers', { timers: [{ state: 'B', after: -1, remaining: 5 }] }],
    ] as const) {
      it(`refuses a snapshot of ${what}`, () => {
        const { chart } = machine(counter);
        const snapshot = { ...chart.snapshot(), ...change };
        assert.throws(() => chart.restore(snapshot), { code: 'invalid' });
        assert.equal(chart.state, 'A');
      });
    }

    it('restores while it runs, from a snapshot that is a copy', () => {
      const { chart, send, clock, records } = machine(counter);
      const before = chart.snapshot();
      before.context.mode = 'changed';
      assert.equal(chart.context.mode, 'x');
      send('add');
      chart.restore(before);
      assert.deepEqual([chart.state, chart.context.n, clock.pending], ['A', 0, 0]);
      assert.equal(records.at(-1)?.event, 'restore');
    });

    it('resets to the beginning but for what persists', () => {
      const { chart, send, clock, told } = machine(counter);
      send('add');
      told();
      chart.reset();
      assert.deepEqual([chart.state, clock.pending], ['A', 0]);
      assert.deepEqual(chart.context, { mode: 'x', n: 0, latch: true });
      assert.deepEqual(told(), ['boot true']);
    });

    it('lets go of timers and listeners when it stops, also in the middle of an event', () => {
      const { chart, send, clock, records } = machine(counter);
      chart.onTransition(() => {
        chart.send({ type: 'add' });
        chart.reset();
        chart.stop();
      });
      send('add');
      const heard = records.length;
      assert.equal(clock.pending, 0);
      assert.equal(chart.started, false);
      assert.equal(send('add').handled, false);
      assert.equal(records.length, heard);
      assert.equal(chart.snapshot().state, 'B');
      assert.deepEqual(
        chart.snapshot().timers.map(({ remaining }) => remaining),
        [1000],
      );
    });

    it('does nothing before it starts', () => {
      const { chart, send, records, clock } = machine(counter, { started: false });
      assert.equal(send('add').handled, false);
      chart.reset();
      assert.deepEqual([chart.state, chart.context.n, records.length, clock.pending], ['A', 0, 0, 0]);
    });

    it('refuses what a check would refuse, by its place', () => {
      const options = { clock: new SimulatedClock(), random: countingRandom(), config: () => ({}) };
      const broken = { ...sound(counter), on: { x: { target: 'Nowhere' } } };
      assert.throws(() => new Statechart(broken, options), {
        code: 'definition_invalid',
        message: /^\/on\/x\/target: /,
      });
    });
  });

  it('reads the configuration once an event, and only where it is asked for', () => {
    let reads = 0;
    let config = { limit: 1 };
    const chart = new Statechart(
      sound({
        id: 'lazy',
        initial: 'A',
        states: { A: { on: { plain: {}, asks: { guard: 'config.limit > 0', actions: [say('x', '=config.limit')] } } } },
      }),
      {
        clock: new SimulatedClock(),
        random: countingRandom(),
        config: () => {
          reads += 1;
          return config;
        },
      },
    );
    chart.start();
    chart.send({ type: 'plain' });
    assert.equal(reads, 0);
    chart.send({ type: 'asks' });
    assert.equal(reads, 1);
    config = { limit: 2 };
    assert.equal(chart.send({ type: 'asks' }).commands[0]?.payload, 2);
  });
});
