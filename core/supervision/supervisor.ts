import { messageOf, SkullError } from '../model/errors.ts';
import type { Clock, Log } from '../model/ports.ts';
import type { ServiceManager, Verb } from '../model/service-manager.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';
import { MOST_RESTARTS, WINDOW_MS } from './attempts.ts';
import type { ServiceChange, ServiceDetail, ServiceReport } from './report.ts';
import { Ward } from './ward.ts';

/** A timer that is off by more than this was not late: the clock was set, or the process stood still. */
const OFF_MS = 1000;

export interface SupervisorOptions {
  clock: Clock;
  log: Log;
  settings: () => Readonly<Record<ServiceName, { timeout_ms: number; enabled: boolean }>>;
  /** Undefined where there is none: then services are heard, and nothing is ordered. */
  manager?: ServiceManager | undefined;
  /** Sends an order on its way; `done` is to be told what becomes of it. */
  act?: (service: ServiceName, verb: 'start' | 'restart') => void;
}

/**
 * Watches over the services. One that crashes, or is silent for longer than its `timeout_ms`, is ordered to restart: the
 * first time at once, then after 1 s, 2 s, 4 s … 60 s, and after five times within ten minutes not any more. What was
 * stopped on purpose stays stopped.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #wards: ReadonlyMap<ServiceName, Ward>;
  readonly #listeners = new Set<(change: ServiceChange) => void>();
  #ends: (() => void)[] = [];
  #timer: unknown;
  #running = false;
  #connected = false;

  constructor(options: SupervisorOptions) {
    const { clock, log, settings, manager, act } = options;
    const supervisor = this;
    const around = {
      clock,
      log,
      get running() {
        return supervisor.#running;
      },
      get connected() {
        return supervisor.#connected;
      },
      get managed() {
        return manager?.connected === true;
      },
      unit: (service: ServiceName) => this.#unitOf(service),
      settings: (service: ServiceName) => settings()[service],
      act: (service: ServiceName, verb: 'start' | 'restart') => act?.(service, verb),
      tell: (change: ServiceChange) => this.#tell(change),
    };
    this.#options = options;
    this.#wards = new Map(SERVICES.map((service) => [service, new Ward(service, around)]));
  }

  /** Begins to judge and to order; asks once for the start of each unit that is in use and does not run. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    const { manager } = this.#options;
    if (manager !== undefined) {
      this.#ends = [
        manager.onUnit(({ service, ...change }) => {
          this.#of(service).unitChanged(change);
          this.#arm();
        }),
        manager.onConnection(() => this.#each((ward) => ward.managerChanged())),
      ];
    }
    this.settingsChanged();
  }

  /** Lets go of its timer and its manager. Services go on as they are. */
  close(): void {
    this.#running = false;
    for (const end of this.#ends.splice(0)) end();
    this.#options.clock.clearTimeout(this.#timer);
  }

  /** Takes over what another one knows, but for what that one has ordered. */
  catchUp(other: Supervisor): void {
    for (const [service, ward] of this.#wards) ward.catchUp(other.#of(service));
    this.#arm();
  }

  /** A service was heard. A stored message is no sign of life. */
  seen(service: ServiceName): void {
    if (this.#of(service).seen()) this.#arm();
  }

  /** Whether the broker can be heard. While it cannot, silence says nothing; then everybody gets a fresh period. */
  connected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#each((ward) => ward.brokerChanged());
  }

  /** The settings are others now. */
  settingsChanged(): void {
    this.#each((ward) => ward.settingsChanged());
  }

  /** What became of an order; `error` where it failed. What was not ordered, or was overtaken by an operator, is ignored. */
  done(service: ServiceName, verb: Verb, error?: unknown): void {
    this.#of(service).done(verb, error);
    this.#arm();
  }

  /**
   * An operator's command, which goes before all orders: a stop holds until somebody starts the service, a start or a
   * restart forgets that it was given up. Resolves once it is done. Rejects with a SkullError: `unavailable` without a
   * manager, or as ServiceManager.act.
   */
  async command(service: ServiceName, verb: Verb): Promise<void> {
    const { manager } = this.#options;
    if (manager === undefined) throw new SkullError('unavailable', 'There is no service manager (SERVICE_MANAGER).');
    if (!manager.connected) {
      throw new SkullError('unavailable', `The service manager (${manager.kind}) cannot be reached.`);
    }
    const end = this.#of(service).commanded(verb);
    try {
      await manager.act(service, verb);
    } finally {
      end();
      this.#arm();
    }
  }

  /** How every service is. */
  report(): Record<ServiceName, ServiceReport> {
    const reports = [...this.#wards].map(([service, ward]) => [service, ward.report()]);
    return Object.fromEntries(reports) as Record<ServiceName, ServiceReport>;
  }

  /** How a service is, and its unit. */
  detail(service: ServiceName): ServiceDetail {
    const { enabled } = this.#options.settings()[service];
    return { ...this.#of(service).report(), unit: this.#unitOf(service), enabled };
  }

  /** Whether there is somebody to order from, and whether they can be reached. */
  get managing(): 'ok' | 'down' | 'not_configured' {
    const { manager } = this.#options;
    if (manager === undefined) return 'not_configured';
    return manager.connected ? 'ok' : 'down';
  }

  /** What a person has to see to, one sentence each. */
  problems(): string[] {
    const failed = [...this.#wards].filter(([, { state }]) => state === 'failed');
    const problems = failed.map(
      ([service]) =>
        `Service ${service} has failed: ${MOST_RESTARTS} restarts within ${WINDOW_MS / 60_000} minutes did not help. Mend it, then start it with POST /services/${service}/start.`,
    );
    if (this.managing !== 'down') return problems;
    return [
      `The service manager (${this.#options.manager?.kind}) cannot be reached: no service is restarted.`,
      ...problems,
    ];
  }

  /** Called when a service is in another state. Returns the function that ends it. */
  onChange(listener: (change: ServiceChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #of(service: ServiceName): Ward {
    const ward = this.#wards.get(service);
    if (ward === undefined) throw new SkullError('not_found', `There is no service ${service}.`);
    return ward;
  }

  #unitOf(service: ServiceName) {
    const { manager } = this.#options;
    return manager?.connected === true ? manager.unit(service) : 'unknown';
  }

  #each(call: (ward: Ward) => void): void {
    for (const ward of this.#wards.values()) call(ward);
    this.#arm();
  }

  /** One timer for all: a service that beats moves none. */
  #arm(): void {
    if (!this.#running) return;
    const { clock } = this.#options;
    const now = clock.now();
    const at = Math.max(now, Math.min(...[...this.#wards.values()].map((ward) => ward.nextLook)));
    clock.clearTimeout(this.#timer);
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = clock.setTimeout(() => this.#look(at), at - now);
  }

  #look(at: number): void {
    const isOff = Math.abs(this.#options.clock.now() - at) > OFF_MS;
    this.#each((ward) => {
      if (isOff) ward.clockSet();
      ward.look();
    });
  }

  #tell(change: ServiceChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        const msg = `${change.service}: a listener failed: ${messageOf(error)}`;
        this.#options.log.error({ kind: 'service', msg, subject: change.service });
      }
    }
  }
}
