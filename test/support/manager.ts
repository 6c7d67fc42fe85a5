import type { ServiceManager, UnitChange, UnitState, Verb } from '../../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';

/** A service manager in memory: every job is done at once, unless the test has another idea. */
export class MemoryManager implements ServiceManager {
  readonly kind = 'simulated';
  /** What was asked for, as `restart motion`. */
  readonly jobs: string[] = [];
  /** What becomes of a job: done where it returns, refused where it throws, in the air while its promise is open. */
  carryOut: (service: ServiceName, verb: Verb) => void | Promise<void> = () => {};
  readonly #units = new Map<ServiceName, UnitState>(SERVICES.map((service) => [service, 'running']));
  readonly #unitListeners = new Set<(change: UnitChange) => void>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #connected = true;

  get connected(): boolean {
    return this.#connected;
  }

  /** Of both kinds together. */
  get listeners(): number {
    return this.#unitListeners.size + this.#connectionListeners.size;
  }

  setConnected(connected: boolean): void {
    this.#connected = connected;
    for (const listener of [...this.#connectionListeners]) listener(connected);
  }

  unit(service: ServiceName): UnitState {
    return this.#units.get(service) ?? 'unknown';
  }

  /** Tells that a unit has come to another state, by itself where nothing else is said. */
  move(service: ServiceName, state: UnitState, how: Partial<Pick<UnitChange, 'asked' | 'result'>> = {}): void {
    const previous = this.unit(service);
    this.#units.set(service, state);
    if (previous === state) return;
    for (const listener of [...this.#unitListeners])
      listener({ service, state, previous, asked: false, result: null, ...how });
  }

  async act(service: ServiceName, verb: Verb): Promise<UnitState> {
    this.jobs.push(`${verb} ${service}`);
    await this.carryOut(service, verb);
    if (verb === 'restart') this.move(service, 'stopped', { asked: true });
    this.move(service, verb === 'stop' ? 'stopped' : 'running', { asked: true });
    return this.unit(service);
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    const entry = (change: UnitChange) => listener(change);
    this.#unitListeners.add(entry);
    return () => void this.#unitListeners.delete(entry);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    const entry = (connected: boolean) => listener(connected);
    this.#connectionListeners.add(entry);
    listener(this.#connected);
    return () => void this.#connectionListeners.delete(entry);
  }

  async close(): Promise<void> {}
}
