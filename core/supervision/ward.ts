import { messageOf, SkullError } from '../model/errors.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { UnitChange, UnitState, Verb } from '../model/service-manager.ts';
import type { ServiceName } from '../model/services.ts';
import { Attempts, MOST_RESTARTS, WINDOW_MS } from './attempts.ts';
import type { ServiceCause, ServiceChange, ServiceReport, ServiceState } from './report.ts';

/** An order that nobody answers is taken for lost; longer than any manager lets a job run before it says so. */
const ORDER_MS = 120_000;
const NEVER = Number.POSITIVE_INFINITY;

/** What all wards of a supervisor share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** False before the start and after the end: nothing is judged then, and nothing ordered. */
  readonly running: boolean;
  /** Whether the broker can be heard. */
  readonly connected: boolean;
  /** Whether there is a manager that can be asked. */
  readonly managed: boolean;
  unit(service: ServiceName): UnitState;
  settings(service: ServiceName): { timeout_ms: number; enabled: boolean };
  act(service: ServiceName, verb: 'start' | 'restart'): void;
  tell(change: ServiceChange): void;
}

/** One service under supervision: how it is, and what is ordered because of it. Times in milliseconds since the epoch. */
export class Ward {
  readonly #service: ServiceName;
  readonly #around: Surroundings;
  #state: ServiceState = 'unknown';
  #seenAt: number | undefined;
  /** Silence counts from the last sign of life, or from here where this is later. */
  #freshAt = 0;
  /** Whether silence is judged, as the settings said last. */
  #timed = false;
  /** Whether the first start was seen to. */
  #begun = false;
  /** As its manager told last; undefined before it told anything. */
  #unit: UnitState | undefined;
  /** Whether the unit's last end was on purpose, or its next one will be. */
  #asked = false;
  /** When it is to be restarted. */
  #dueAt: number | undefined;
  /** What was ordered, and when; undefined once it is done. */
  #order: { verb: Verb; at: number } | undefined;
  /** How many of an operator's commands are not done. */
  #commands = 0;
  #attempts = new Attempts();

  constructor(service: ServiceName, around: Surroundings) {
    this.#service = service;
    this.#around = around;
  }

  get state(): ServiceState {
    return this.#state;
  }

  report(): ServiceReport {
    return {
      state: this.#state,
      alive: this.#state === 'alive',
      last_seen: this.#seenAt === undefined ? null : new Date(this.#seenAt).toISOString(),
      restarts: this.#attempts.total,
    };
  }

  /** Takes over what another one knows of the same service: everything, where this one has not met its unit yet. */
  catchUp(other: Ward): void {
    this.#seenAt = Math.max(this.#seenAt ?? 0, other.#seenAt ?? 0) || undefined;
    if (this.#unit !== undefined) return;
    this.#state = other.#state;
    this.#begun = other.#begun;
    this.#unit = other.#unit;
    this.#asked = other.#asked;
    this.#attempts = other.#attempts;
  }

  /** A sign of life. Returns whether anything but the time of it has changed. */
  seen(): boolean {
    this.#seenAt = this.#around.clock.now();
    if (this.#state === 'alive' || this.#isBusy || !this.#settings.enabled) return false;
    // Given up: only somebody who starts it clears that, or it would come and go with each sign of life.
    if (this.#state === 'failed') return false;
    // What an ended process has said may arrive after its end.
    const unit = this.#around.unit(this.#service);
    if (unit === 'stopping' || isDown(unit)) return false;
    this.#dueAt = undefined;
    this.#to('alive', 'heartbeat');
    return true;
  }

  settingsChanged(): void {
    const { enabled, timeout_ms: timeout } = this.#settings;
    const timed = enabled && timeout > 0;
    if (timed && !this.#timed) this.refresh();
    this.#timed = timed;
    this.judge();
  }

  /** Silence counts from now on. */
  refresh(): void {
    this.#freshAt = this.#around.clock.now();
  }

  /** What was silent when the broker went has a whole period to be heard in once it is back. */
  brokerChanged(): void {
    this.refresh();
    if (this.#state !== 'silent') return;
    this.#dueAt = this.#around.connected && this.#timed ? this.#freshAt + this.#settings.timeout_ms + 1 : undefined;
  }

  /** Times from before the clock was set say nothing: silence begins anew, and what was due soon is due now. */
  clockSet(): void {
    this.refresh();
    if (this.#seenAt !== undefined) this.#seenAt = Math.min(this.#seenAt, this.#freshAt);
    if (this.#dueAt !== undefined) this.#dueAt = this.#freshAt;
    if (this.#order !== undefined) this.#order.at = this.#freshAt;
  }

  unitChanged({ state, asked, result }: Pick<UnitChange, 'state' | 'asked' | 'result'>): void {
    // What was stopped while it was not in use is not started when it comes into use.
    if (isDown(state) && asked && this.#unit !== undefined) this.#begun = true;
    this.#unit = state;
    if (isDown(state)) this.#asked = asked || (this.#commands > 0 && this.#asked);
    if (state === 'starting' || state === 'running') {
      this.#asked = false;
      this.refresh();
      if (!this.#isBusy) this.#startedByOthers();
    }
    this.judge(result);
  }

  /** The manager can be asked again, or cannot any more. */
  managerChanged(): void {
    const unit = this.#around.unit(this.#service);
    // Nobody has seen how it was stopped, and a stop on purpose is not to be undone.
    if (this.#around.managed && unit !== this.#unit) {
      this.unitChanged({ state: unit, asked: unit === 'stopped', result: null });
    } else this.judge();
  }

  /** What became of an order. What was not ordered, or was overtaken by an operator, is ignored. */
  done(verb: Verb, error: unknown): void {
    if (this.#order?.verb === verb) this.#ended(this.#order, error);
  }

  /** An operator's command begins. Returns what is to be called at its end. */
  commanded(verb: Verb): () => void {
    this.#begun = true;
    this.#order = undefined;
    this.#dueAt = undefined;
    this.#asked = verb === 'stop';
    this.#commands++;
    if (verb !== 'stop') {
      this.#attempts.clear();
      if (verb === 'restart' || this.#state !== 'alive') this.#to('restarting', verb);
    }
    return () => {
      this.#commands--;
      this.refresh();
      this.judge();
    };
  }

  /** Brings the state in line with the unit, and plans what follows from it. */
  judge(result: string | null = null): void {
    if (!this.#around.running || this.#isBusy) return;
    const unit = this.#around.unit(this.#service);
    const down = isDown(unit);
    // Its manager has yet to tell how it ended.
    if (down && this.#unit !== unit) return;
    if (!this.#settings.enabled) this.#unused(down);
    else if (unit === 'unknown') this.#unitUnknown();
    else {
      const first = !this.#begun;
      this.#begun = true;
      if (down && first) this.#give('start', { because: 'boot' });
      else if (down) this.#down({ unit, result });
      else if (unit !== 'running') this.#dueAt = undefined;
      else if (this.#state === 'silent') this.#silent();
      else if (this.#state === 'restarting' && !this.#timed) this.#to('unknown', 'start');
    }
  }

  /** When it is to be looked at again. */
  get nextLook(): number {
    if (this.#order !== undefined) return this.#order.at + ORDER_MS;
    if (this.#dueAt !== undefined) return this.#dueAt;
    if (!this.#around.connected || !this.#timed || this.#commands > 0) return NEVER;
    // One that was never heard is only missed where its unit runs.
    const awaited = this.#unit === 'running' && (this.#state === 'unknown' || this.#state === 'restarting');
    if (this.#state !== 'alive' && !awaited) return NEVER;
    return Math.max(this.#seenAt ?? 0, this.#freshAt) + this.#settings.timeout_ms + 1;
  }

  /** Does what is due. */
  look(): void {
    if (this.nextLook > this.#around.clock.now()) return;
    if (this.#order !== undefined) this.#ended(this.#order, new SkullError('timeout', 'nobody answered'));
    else if (this.#dueAt !== undefined) this.#give('restart');
    else {
      this.#to('silent', 'silence');
      this.judge();
    }
  }

  get #settings() {
    return this.#around.settings(this.#service);
  }

  get #isBusy(): boolean {
    return this.#order !== undefined || this.#commands > 0;
  }

  /** Restarted while its silence means something; what was planned before that is let go. */
  #silent(): void {
    if (!this.#timed) this.#to('unknown', 'config');
    if (!this.#timed || !this.#around.connected) this.#dueAt = undefined;
    else if (this.#dueAt === undefined) this.#plan('silence');
  }

  #unused(down: boolean): void {
    this.#dueAt = undefined;
    if (down) this.#to('stopped', this.#asked ? 'stop' : 'config');
    else this.#to('unknown', this.#state === 'stopped' ? 'start' : 'config');
  }

  #unitUnknown(): void {
    this.#dueAt = undefined;
    const isGone = this.#around.managed && this.#state !== 'alive' && this.#state !== 'silent';
    if (isGone) this.#to('unknown', 'unit-gone');
  }

  #startedByOthers(): void {
    if (this.#state === 'stopped' || this.#state === 'failed') this.#attempts.clear();
    else if (this.#state !== 'crashed') return;
    this.#dueAt = undefined;
    this.#to('restarting', 'start');
  }

  #down(data: object): void {
    if (this.#asked) {
      this.#dueAt = undefined;
      this.#to('stopped', 'stop');
    } else if (this.#state !== 'failed') {
      this.#to('crashed', 'crash', data);
      if (this.#dueAt === undefined) this.#plan('crash');
    }
  }

  #plan(because: 'crash' | 'silence'): void {
    const now = this.#around.clock.now();
    const ms = this.#attempts.delay(now);
    if (ms === 0) this.#give('restart', { because });
    else if (ms !== undefined) this.#dueAt = now + ms;
    else this.#to('failed', 'give-up', { because, restarts: MOST_RESTARTS, within_ms: WINDOW_MS });
  }

  #give(verb: 'start' | 'restart', data: object = {}): void {
    const order = { verb, at: this.#around.clock.now() };
    this.#dueAt = undefined;
    this.#asked = false;
    this.#order = order;
    if (verb === 'restart') this.#attempts.made(order.at);
    this.#to('restarting', verb, { ...data, restarts: this.#attempts.total });
    try {
      this.#around.act(this.#service, verb);
    } catch (error) {
      this.#ended(order, error);
    }
  }

  #ended({ verb, at }: { verb: Verb; at: number }, error: unknown): void {
    this.#order = undefined;
    if (error !== undefined) {
      const msg = `${this.#service}: the order to ${verb} it failed: ${messageOf(error)}`;
      this.#around.log.warn({ kind: 'service', msg, subject: this.#service });
      const runsOn = this.#around.unit(this.#service) === 'running' && this.#freshAt < at;
      if (runsOn && verb === 'restart') this.#to('silent', 'order-failed');
    }
    this.refresh();
    this.judge();
  }

  #to(state: ServiceState, cause: ServiceCause, data: object = {}): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#around.tell({ service: this.#service, state, previous, cause, data: { ...data } });
  }
}

const isDown = (unit: UnitState): boolean => unit === 'stopped' || unit === 'failed';
