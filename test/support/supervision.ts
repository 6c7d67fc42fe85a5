import type { ServiceManager, Verb } from '../../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';
import { Supervisor } from '../../core/supervision/supervisor.ts';
import { SimulatedClock } from './clock.ts';
import { keepingLog } from './ports.ts';

/** Settings that a test may change. */
export function serviceSettings(timeout = 15_000) {
  const one = () => ({ timeout_ms: timeout, enabled: true });
  return Object.fromEntries(SERVICES.map((service) => [service, one()])) as Record<ServiceName, ReturnType<typeof one>>;
}

/**
 * A supervisor whose orders its manager carries out, as the flow does: what becomes of them is told a turn later. The
 * broker can be heard.
 */
export function supervision(manager: ServiceManager | undefined, { start = true } = {}) {
  const clock = new SimulatedClock();
  const log = keepingLog();
  const settings = serviceSettings();
  const orders: string[] = [];
  const changes: string[] = [];
  /** Carries an order out; a test may do otherwise. */
  const flow = {
    carry: (service: ServiceName, verb: Verb): void => {
      manager?.act(service, verb).then(
        () => supervisor.done(service, verb),
        (error: unknown) => supervisor.done(service, verb, error),
      );
    },
  };
  const supervisor = new Supervisor({
    clock,
    log,
    manager,
    settings: () => settings,
    act: (service, verb) => {
      orders.push(`${verb} ${service}`);
      flow.carry(service, verb);
    },
  });
  supervisor.onChange(({ service, state, cause }) => changes.push(`${service} ${state} ${cause}`));
  supervisor.connected(true);
  if (start) supervisor.start();
  /** What was told, or ordered, since the last call. */
  const since = (list: string[]) => list.splice(0);
  return {
    clock,
    log,
    settings,
    supervisor,
    flow,
    state: (service: ServiceName) => supervisor.report()[service].state,
    orders: () => since(orders),
    changes: () => since(changes),
    /** Lets time pass, and whatever is told a turn later. */
    async pass(ms: number): Promise<void> {
      await new Promise(setImmediate);
      clock.advance(ms);
      await new Promise(setImmediate);
    },
  };
}
