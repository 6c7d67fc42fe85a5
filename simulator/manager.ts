import type { Log } from '../core/model/ports.ts';
import type { ServiceManager, UnitChange, UnitState, Verb } from '../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../core/model/services.ts';
import { knownService, knownVerb } from '../core/supervision/allowed.ts';
import { UnitBook } from '../core/supervision/unit-book.ts';
import type { SimulatedService } from './service.ts';

/**
 * A service manager that has the simulated services for units: a service that crashes is a unit that failed, one that
 * hangs still runs. Before they are given, and without a simulator, the units are only kept in mind.
 */
export class SimulatedManager implements ServiceManager {
  readonly kind = 'simulated';
  readonly #book: UnitBook;
  #services: Partial<Record<ServiceName, SimulatedService>> = {};
  #endings: (() => void)[] = [];

  constructor(log: Log) {
    this.#book = new UnitBook(log);
    for (const service of SERVICES) this.#book.move(service, 'running');
    this.#book.connect(true);
  }

  get connected(): boolean {
    return this.#book.connected;
  }

  /** From now on the units are these; one that has been stopped stays so. Returns the function that ends it. */
  manage(services: Readonly<Record<ServiceName, SimulatedService>>): () => void {
    this.#services = services;
    for (const name of SERVICES) {
      const service = services[name];
      if (this.unit(name) === 'stopped') service.behave('crashed');
      this.#endings.push(service.onBehaviour((behaviour) => this.#follow(name, behaviour !== 'crashed')));
      this.#follow(name, service.behaviour !== 'crashed');
    }
    return () => this.#release();
  }

  unit(service: ServiceName): UnitState {
    return this.#book.unit(service);
  }

  async act(service: ServiceName, verb: Verb): Promise<UnitState> {
    const name = knownService(service);
    knownVerb(verb);
    const isUp = this.unit(name) === 'running';
    if (verb !== 'start' && isUp) this.#stop(name, verb === 'stop');
    if (verb === 'stop' || (verb === 'start' && isUp)) return this.unit(name);
    this.#book.move(name, 'starting');
    this.#services[name]?.behave('normal');
    this.#book.move(name, 'running');
    return this.unit(name);
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    return this.#book.onUnit(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#book.onConnection(listener);
  }

  async close(): Promise<void> {
    this.#release();
    this.#book.close();
  }

  #stop(name: ServiceName, forGood: boolean): void {
    this.#book.move(name, 'stopping');
    this.#services[name]?.behave('crashed');
    if (forGood) this.#book.move(name, 'stopped', { asked: true });
  }

  /** What happens to a service without our doing; what we do ourselves goes through other states. */
  #follow(name: ServiceName, isUp: boolean): void {
    const state = this.unit(name);
    if (isUp && (state === 'failed' || state === 'stopped')) this.#book.move(name, 'running');
    if (!isUp && state === 'running') this.#book.move(name, 'failed', { result: 'signal' });
  }

  #release(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#services = {};
  }
}
