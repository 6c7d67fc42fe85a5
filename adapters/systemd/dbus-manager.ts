import type { Message } from 'dbus-native';
import type { SkullError } from '../../core/model/errors.ts';
import type { Clock, Log } from '../../core/model/ports.ts';
import type { ServiceManager, UnitChange, UnitState, Verb } from '../../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';
import { knownVerb } from '../../core/supervision/allowed.ts';
import { UnitBook } from '../../core/supervision/unit-book.ts';
import { type Answer, SystemdBus } from './bus.ts';
import { codeOf, notConnected, refusal, tooLate } from './refusals.ts';
import { isDown, ORDER_MS, stateOf, unitOf } from './units.ts';

const METHODS: Record<Verb, string> = { start: 'StartUnit', stop: 'StopUnit', restart: 'RestartUnit' };
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const UNIT = 'org.freedesktop.systemd1.Unit';
const SERVICE = 'org.freedesktop.systemd1.Service';

const escaped = (unit: string): string => unit.replaceAll('-', '_2d').replaceAll('.', '_2e');
const pathOf = (service: ServiceName): string => `/org/freedesktop/systemd1/unit/${escaped(unitOf(service))}`;

const RULES = SERVICES.flatMap((service) => [
  `path='${pathOf(service)}',interface='${PROPERTIES}',member='PropertiesChanged',arg0='${UNIT}'`,
  `path='/org/freedesktop/systemd1',member='JobRemoved',arg2='${unitOf(service)}'`,
]);

/** A unit as systemd's signals tell it. */
interface Unit {
  readonly service: ServiceName;
  state: UnitState;
  /** Whether a job of whoever's is under way. */
  busy: boolean;
}

interface Order {
  readonly unit: Unit;
  readonly verb: Verb;
  /** The D-Bus path of its job, once there is one. */
  job?: unknown;
  readonly resolve: () => void;
  readonly reject: (error: SkullError) => void;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** systemd over D-Bus: everything that happens to the units comes by signal. */
export class DbusManager implements ServiceManager {
  readonly kind = 'systemd';
  readonly #clock: Clock;
  readonly #book: UnitBook;
  readonly #bus: SystemdBus;
  readonly #units: readonly Unit[];
  readonly #orders = new Set<Order>();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#book = new UnitBook(log);
    this.#units = SERVICES.map((service) => ({ service, state: 'unknown', busy: false }));
    this.#bus = new SystemdBus(clock, log, RULES, {
      up: () => this.#readAll(),
      down: () => this.#disconnect(),
      signal: (message) => this.#hear(message),
    });
  }

  get connected(): boolean {
    return this.#book.connected;
  }

  open(): void {
    this.#bus.open();
  }

  unit(service: ServiceName): UnitState {
    return this.#book.unit(service);
  }

  async act(service: ServiceName, verb: Verb): Promise<UnitState> {
    const name = unitOf(service);
    const unit = this.#units.find((one) => one.service === service);
    knownVerb(verb);
    if (unit === undefined || !this.connected) throw notConnected(verb, name);
    let order: Order | undefined;
    let timer: unknown;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = this.#clock.setTimeout(() => reject(tooLate(verb, name)), ORDER_MS);
        order = { unit, verb, resolve, reject };
        this.#orders.add(order);
        this.#give(order);
      });
    } finally {
      this.#clock.clearTimeout(timer);
      if (order !== undefined) this.#orders.delete(order);
      if (isDown(unit.state)) await this.#end(unit);
    }
    return this.unit(service);
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    return this.#book.onUnit(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#book.onConnection(listener);
  }

  async close(): Promise<void> {
    this.#bus.close();
    this.#disconnect();
    this.#book.close();
  }

  #give(order: Order): void {
    const { unit, verb, reject } = order;
    const name = unitOf(unit.service);
    // A unit that fell too often is refused until its falls are forgotten. Where we may not do that, it may start yet.
    if (verb !== 'stop' && unit.state === 'failed') this.#call('ResetFailedUnit', [name], () => {});
    this.#call(METHODS[verb], [name, 'replace'], (error, job) => {
      if (error) reject(refusal(codeOf(error.dbusName), verb, name, error.message, error));
      // Its job cannot have ended yet: the answer comes first, and nothing is read in between.
      else order.job = job;
    });
  }

  #call(member: string, body: string[], answer: Answer): void {
    this.#bus.call({ member, signature: 's'.repeat(body.length), body }, answer);
  }

  /** What happened while nobody listened is seen by where the units stand now. */
  #readAll(): void {
    const names = SERVICES.map(unitOf);
    this.#bus.call({ member: 'ListUnitsByNames', signature: 'as', body: [names] }, (error, rows) => {
      if (error) {
        this.#bus.renew(error);
        return;
      }
      const read = listOf(rows).map((row) => this.#read(listOf(row)));
      void Promise.all(read).then((all) => all.every(Boolean) && this.#book.connect(true));
    });
  }

  /** A row is `[name, description, load, active, sub, following, path, job id, …]`. Resolves with whether it was read. */
  async #read([name, , load, active, , , , job]: readonly unknown[]): Promise<boolean> {
    const unit = this.#units.find(({ service }) => unitOf(service) === name);
    if (unit === undefined) return true;
    unit.state = stateOf(textOf(load), textOf(active));
    unit.busy = job !== 0;
    // Nobody saw how it ended: what did not fail is taken for asked, so that nothing put down on purpose is woken.
    const asked = unit.state === 'stopped' && this.unit(unit.service) !== 'unknown';
    if (isDown(unit.state)) return this.#end(unit, asked);
    this.#book.move(unit.service, unit.state);
    return true;
  }

  #hear({ path, member, body = [] }: Message): void {
    if (member === 'JobRemoved') {
      this.#endJob(body);
      return;
    }
    const unit = this.#units.find(({ service }) => pathOf(service) === path);
    if (unit === undefined) return;
    const changed = Object(body[1]);
    if (textOf(changed.ActiveState) === '') return;
    this.#follow(unit, stateOf('loaded', changed.ActiveState), changed.Job);
  }

  #follow(unit: Unit, state: UnitState, job: unknown): void {
    unit.state = state;
    unit.busy = listOf(job)[0] !== 0;
    if (!isDown(state)) this.#book.move(unit.service, state);
    else if (!unit.busy) this.#end(unit);
  }

  /** The unit's change comes before the end of its job. A job that is done with a unit that is down was there to stop it. */
  #endJob([, job, name, result]: readonly unknown[]): void {
    const unit = this.#units.find(({ service }) => unitOf(service) === name);
    if (unit === undefined) return;
    // One that is cancelled mostly gives way to another: the unit's next change tells.
    if (result !== 'canceled') unit.busy = false;
    for (const { job: own, verb, resolve, reject } of this.#orders) {
      if (own !== job) continue;
      if (result === 'done' || result === 'skipped') resolve();
      else
        reject(
          refusal(result === 'timeout' ? 'timeout' : 'conflict', verb, textOf(name), `its job ended as ${result}`),
        );
    }
    if (isDown(unit.state) && !unit.busy) this.#end(unit, result === 'done');
  }

  /**
   * Tells of a unit's end if it is one: no job goes on with it, and none of ours is about to. A unit that systemd restarts
   * by itself is down for a moment before it says so: by the time it says how the unit ended, it has said that too.
   * Resolves with whether it has said anything.
   */
  #end(unit: Unit, asked = false): Promise<boolean> {
    return new Promise((resolve) => {
      const call = { path: pathOf(unit.service), interface: PROPERTIES, member: 'Get', signature: 'ss' };
      this.#bus.call({ ...call, body: [SERVICE, 'Result'] }, (error, result) => {
        const starting = [...this.#orders].some((order) => order.unit === unit && order.verb !== 'stop');
        const hasEnded = isDown(unit.state) && !unit.busy && !starting;
        const how = unit.state === 'failed' ? textOf(result) || null : null;
        if (hasEnded) this.#book.move(unit.service, unit.state, { asked, result: how });
        resolve(!error);
      });
    });
  }

  #disconnect(): void {
    this.#book.connect(false);
    for (const { unit, verb, reject } of this.#orders) reject(notConnected(verb, unitOf(unit.service)));
  }
}
