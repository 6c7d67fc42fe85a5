import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SkullError } from '../../../core/model/errors.ts';
import { UNIT_STATES, type UnitState, VERBS, type Verb } from '../../../core/model/service-manager.ts';
import type { ServiceName } from '../../../core/model/services.ts';
import { Supervisor } from '../../../core/supervision/supervisor.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { MemoryManager } from '../../support/manager.ts';
import { keepingLog } from '../../support/ports.ts';
import { serviceSettings } from '../../support/supervision.ts';

const WINDOW_MS = 600_000;
/** After this an order that nobody answers counts for lost. */
const LOST_MS = 120_000;

const service = fc.constantFrom<ServiceName>('voice', 'ai');
const ms = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 200_000 }));
const step = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), ms }),
  fc.record({ do: fc.constant('wait' as const), ms }),
  fc.record({ do: fc.constant('beat' as const), service }),
  fc.record({ do: fc.constant('unit' as const), service, state: fc.constantFrom(...UNIT_STATES), asked: fc.boolean() }),
  fc.record({ do: fc.constant('crash' as const), service }),
  fc.record({ do: fc.constant('answer' as const), service, verb: fc.constantFrom(...VERBS), ok: fc.boolean() }),
  fc.record({ do: fc.constant('command' as const), service, verb: fc.constantFrom(...VERBS), ok: fc.boolean() }),
  fc.record({ do: fc.constant('manager' as const), connected: fc.boolean() }),
  fc.record({ do: fc.constant('broker' as const), connected: fc.boolean() }),
  fc.record({
    do: fc.constant('use' as const),
    service,
    enabled: fc.boolean(),
    timeout_ms: fc.constantFrom(0, 1000, 15_000),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What an onlooker knows of one service, told by nobody but the outside. */
interface Seen {
  /** Since the last start that somebody else asked for, when it was ordered to restart. */
  restarts: number[];
  open: { verb: Verb; at: number } | undefined;
  /** Stopped on purpose, and not started since. */
  stopped: boolean;
}

class Scene {
  readonly clock = new SimulatedClock();
  readonly manager = new MemoryManager();
  readonly settings = serviceSettings();
  readonly supervisor: Supervisor;
  readonly #seen: Record<string, Seen> = {};

  constructor() {
    this.supervisor = new Supervisor({
      clock: this.clock,
      log: keepingLog(),
      manager: this.manager,
      settings: () => this.settings,
      act: (name, verb) => this.#ordered(name, verb),
    });
    this.manager.onUnit(({ service: name, state, asked }) => {
      if (state === 'stopped' && asked) this.of(name).stopped = true;
      if (state === 'starting' || state === 'running') this.#started(name);
    });
    this.supervisor.connected(true);
    this.supervisor.start();
  }

  of(name: ServiceName): Seen {
    this.#seen[name] ??= { restarts: [], open: undefined, stopped: false };
    return this.#seen[name];
  }

  /** A start by other hands lets the supervisor begin anew where it had given up or kept off. */
  #started(name: ServiceName): void {
    const seen = this.of(name);
    seen.stopped = false;
    if (['stopped', 'failed'].includes(this.supervisor.report()[name].state)) seen.restarts = [];
  }

  #ordered(name: ServiceName, verb: Verb): void {
    const seen = this.of(name);
    const now = this.clock.now();
    assert.ok(this.settings[name].enabled, 'it is in use');
    assert.ok(this.manager.connected, 'its manager can be reached');
    assert.notEqual(this.manager.unit(name), 'unknown', 'its unit exists');
    assert.ok(!seen.stopped, 'it was not stopped on purpose');
    assert.ok(seen.open === undefined || now >= seen.open.at + LOST_MS, 'no other order is open');
    seen.open = { verb, at: now };
    if (verb === 'restart') {
      seen.restarts = [...seen.restarts.filter((time) => time > now - WINDOW_MS), now];
      assert.ok(seen.restarts.length <= 5, 'no more than five restarts within ten minutes');
    }
  }

  async do(one: Step): Promise<void> {
    const { clock, manager, supervisor, settings } = this;
    if (one.do === 'wait') clock.advance(one.ms);
    else if (one.do === 'beat') supervisor.seen(one.service);
    else if (one.do === 'unit') this.#move(one.service, one.state, one.asked);
    else if (one.do === 'crash') this.#move(one.service, 'failed', false);
    else if (one.do === 'answer') this.#answer(one.service, one.verb, one.ok);
    else if (one.do === 'command') await this.#command(one.service, one.verb, one.ok);
    else if (one.do === 'manager') manager.setConnected(one.connected);
    else if (one.do === 'broker') supervisor.connected(one.connected);
    else {
      settings[one.service] = { enabled: one.enabled, timeout_ms: one.timeout_ms };
      supervisor.settingsChanged();
    }
    this.check();
  }

  #move(name: ServiceName, state: UnitState, asked: boolean): void {
    // What nobody hears of is no news: a manager that is away tells where its units stand when it is back.
    if (this.manager.connected) this.manager.move(name, state, { asked: asked && state === 'stopped' });
  }

  #answer(name: ServiceName, verb: Verb, ok: boolean): void {
    const seen = this.of(name);
    if (seen.open?.verb === verb) seen.open = undefined;
    if (ok) this.#move(name, verb === 'stop' ? 'stopped' : 'running', true);
    this.supervisor.done(name, verb, ok ? undefined : new SkullError('conflict', 'the job failed'));
  }

  async #command(name: ServiceName, verb: Verb, ok: boolean): Promise<void> {
    const { manager, supervisor } = this;
    if (!manager.connected) return;
    const seen = this.of(name);
    manager.carryOut = () => {
      if (!ok) throw new SkullError('conflict', 'the job failed');
    };
    seen.open = undefined;
    const before = seen.stopped;
    seen.stopped = verb === 'stop';
    if (verb !== 'stop') seen.restarts = [];
    await supervisor.command(name, verb).catch(() => {
      if (verb === 'stop') seen.stopped = before;
    });
  }

  check(): void {
    assert.ok(this.clock.pending <= 1, 'one timer for all');
    for (const { state, alive } of Object.values(this.supervisor.report())) assert.equal(alive, state === 'alive');
  }
}

describe('the supervisor, whatever happens', () => {
  it('never orders too much, nor what it must not', async () => {
    const steps = fc.array(step, { maxLength: 60, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const scene = new Scene();
        for (const one of sequence) await scene.do(one);
        // Whatever it was, a service that is in use, whose unit crashes, is restarted or given up.
        scene.manager.setConnected(true);
        scene.settings.voice = { enabled: true, timeout_ms: 15_000 };
        scene.supervisor.settingsChanged();
        await scene.do({ do: 'command', service: 'voice', verb: 'start', ok: true });
        await scene.do({ do: 'crash', service: 'voice' });
        assert.equal(scene.supervisor.report().voice.state, 'restarting');
        scene.supervisor.close();
        assert.equal(scene.clock.pending, 0);
      }),
      { numRuns: 500 },
    );
  }).timeout(60_000);
});
