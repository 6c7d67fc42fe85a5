import type { Clock } from '../model/ports.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';
import { type Static, Type } from '../model/type.ts';
import { type Figures, OwnFigures } from './figures.ts';
import { SERVICE_STATES, type ServiceReport, type ServiceState } from './report.ts';

export const HEALTH_TOPIC = 'orchestrator/health';

const ServiceWord = Type.Enum([...SERVICE_STATES], { description: 'As `GET /services` says.' });

/** The payload of `orchestrator/health`, retained. */
export const HealthNews = Type.Object({
  status: Type.Enum(['healthy', 'degraded', 'unhealthy'], { description: 'As `GET /health` says.' }),
  services: Type.Object(
    Object.fromEntries(SERVICES.map((service) => [service, ServiceWord])) as Record<ServiceName, typeof ServiceWord>,
    { description: 'The state of each service.' },
  ),
  ...OwnFigures.properties,
  uptime_seconds: Type.Integer({ minimum: 0, description: 'Since the start of the orchestrator.' }),
});
export type HealthNews = Static<typeof HealthNews>;

/** What is told of the services, without the figures. */
export type HealthState = Pick<HealthNews, 'status' | 'services' | 'uptime_seconds'>;

export const statesOf = (report: Record<ServiceName, ServiceReport>): Record<ServiceName, ServiceState> =>
  Object.fromEntries(SERVICES.map((service) => [service, report[service].state])) as Record<ServiceName, ServiceState>;

/** Changes that come together are told together, and no faster than this. */
const TOLD_EVERY_MS = 1000;

export interface ReporterOptions {
  clock: Clock;
  /** How often figures are taken and told, in milliseconds. */
  everyMs: number;
  state: () => HealthState;
  figures: Pick<Figures, 'take' | 'quiet'>;
  tell: (news: HealthNews) => void;
}

/**
 * Tells the health at an interval, with figures of that interval, and in between when it is another one. Not in a quiet
 * time: to tell the same again would be all that the processor is woken for.
 */
export class HealthReporter {
  readonly #options: ReporterOptions;
  #figures: OwnFigures | undefined;
  #told = '';
  #soon: unknown;
  #due: unknown;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#later(Math.min(TOLD_EVERY_MS, options.everyMs));
  }

  /** Something may be different now. */
  changed(): void {
    if (this.#figures === undefined || this.#soon !== undefined) return;
    this.#soon = this.#options.clock.setTimeout(() => this.#tellChange(), TOLD_EVERY_MS);
  }

  close(): void {
    this.#options.clock.clearTimeout(this.#soon);
    this.#options.clock.clearTimeout(this.#due);
  }

  #later(ms: number): void {
    this.#due = this.#options.clock.setTimeout(() => {
      this.#later(this.#options.everyMs);
      const { figures } = this.#options;
      if (this.#figures !== undefined && figures.quiet) return;
      this.#figures = figures.take();
      this.#tell(this.#options.state());
    }, ms);
  }

  #tellChange(): void {
    this.#soon = undefined;
    const state = this.#options.state();
    if (keyOf(state) !== this.#told) this.#tell(state);
  }

  #tell(state: HealthState): void {
    if (this.#figures === undefined) return;
    this.#told = keyOf(state);
    const { uptime_seconds, ...rest } = state;
    this.#options.tell({ ...rest, ...this.#figures, uptime_seconds });
  }
}

const keyOf = ({ status, services }: HealthState): string => JSON.stringify([status, services]);
