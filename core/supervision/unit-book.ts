import { messageOf } from '../model/errors.ts';
import type { Log } from '../model/ports.ts';
import type { UnitChange, UnitState } from '../model/service-manager.ts';
import type { ServiceName } from '../model/services.ts';

/** What every service manager keeps: the state of each unit, whether the manager answers, and who wants to know. */
export class UnitBook {
  readonly #log: Log;
  readonly #states = new Map<ServiceName, UnitState>();
  /** Those whose present state somebody asked for. */
  readonly #asked = new Set<ServiceName>();
  readonly #unitListeners = new Set<(change: UnitChange) => void>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #connected = false;

  constructor(log: Log) {
    this.#log = log;
  }

  get connected(): boolean {
    return this.#connected;
  }

  unit(service: ServiceName): UnitState {
    return this.#states.get(service) ?? 'unknown';
  }

  /** Tells of the unit's new state; one that it has already is no news, but that somebody wants it down is. */
  move(service: ServiceName, state: UnitState, { asked = false, result = null }: Partial<UnitChange> = {}): void {
    const previous = this.unit(service);
    if (state === previous && (!asked || this.#asked.has(service))) return;
    if (asked) this.#asked.add(service);
    else this.#asked.delete(service);
    this.#states.set(service, state);
    const change = { service, state, previous, asked, result };
    for (const listener of this.#unitListeners) this.#tell(() => listener(change));
  }

  connect(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const listener of this.#connectionListeners) this.#tell(() => listener(connected));
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    this.#unitListeners.add(listener);
    return () => void this.#unitListeners.delete(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    this.#tell(() => listener(this.#connected));
    return () => void this.#connectionListeners.delete(listener);
  }

  /** Tells nobody anything any more. */
  close(): void {
    this.#unitListeners.clear();
    this.#connectionListeners.clear();
    this.#connected = false;
  }

  /** A listener that fails keeps the others from nothing. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error({ kind: 'service', msg: `A listener to the service manager failed: ${messageOf(error)}` });
    }
  }
}
