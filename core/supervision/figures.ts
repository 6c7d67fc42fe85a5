import type { ProcessMeter, ProcessReading, Traffic } from '../model/ports.ts';
import { type Static, Type } from '../model/type.ts';

const bytes = (description: string) => Type.Integer({ description: `${description} In bytes.`, minimum: 0 });
const number = (description: string) => Type.Number({ description, minimum: 0 });

/** The figures of the orchestrator itself. Rates and delays are of the time since the last ones. */
export const OwnFigures = Type.Object({
  event_loop_delay_ms: Type.Object(
    { p50: number('Half of the rounds.'), p99: number('99 of 100 rounds.'), max: number('Every round.') },
    { description: 'How long at most a round of the event loop kept the next one waiting. In milliseconds.' },
  ),
  memory: Type.Object(
    { rss: bytes('What the process holds.'), heap_used: bytes('What JavaScript objects take of it.') },
    { description: 'Of the process.' },
  ),
  cpu_percent: number('Processor time: 100 is one whole core.'),
  mqtt: Type.Object(
    {
      in_per_s: number('Messages received, per second.'),
      out_per_s: number('Messages published, per second.'),
      dropped: Type.Integer({ description: 'Messages dropped since the start.', minimum: 0 }),
    },
    { description: 'Messages over the connection to the broker.' },
  ),
});
export type OwnFigures = Static<typeof OwnFigures>;

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** Makes rates of counts: what happened since it was asked last. */
export class Figures {
  readonly #meter: ProcessMeter;
  readonly #traffic: () => Traffic;
  #last: Pick<ProcessReading, 'cpuMs' | 'uptimeMs'> & Traffic;

  constructor(meter: ProcessMeter, traffic: () => Traffic) {
    this.#meter = meter;
    this.#traffic = traffic;
    this.#last = { ...meter.read(), ...traffic() };
  }

  /** Whether nothing was received since they were taken last: then they are as they were. */
  get quiet(): boolean {
    return this.#traffic().in === this.#last.in;
  }

  take(): OwnFigures {
    const last = this.#last;
    const now = { ...this.#meter.read(), ...this.#traffic() };
    this.#last = now;
    const { delay, rss, heapUsed } = now;
    const ms = Math.max(1, now.uptimeMs - last.uptimeMs);
    // Another link counts from 0 again.
    const perSecond = (count: 'in' | 'out') => tenths((Math.max(0, now[count] - last[count]) * 1000) / ms);
    return {
      event_loop_delay_ms: { p50: tenths(delay.p50), p99: tenths(delay.p99), max: tenths(delay.max) },
      memory: { rss, heap_used: heapUsed },
      cpu_percent: tenths(((now.cpuMs - last.cpuMs) * 100) / ms),
      mqtt: { in_per_s: perSecond('in'), out_per_s: perSecond('out'), dropped: now.dropped },
    };
  }
}
