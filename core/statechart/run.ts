import type { Issue } from '../model/errors.ts';
import type { Clock } from '../model/ports.ts';
import type { Command, Context } from './actions.ts';
import type { Host } from './compile.ts';
import type { Scope } from './expressions.ts';
import type { Place } from './tree.ts';

/** Milliseconds by index in `after`; undefined for a timer that never ends. */
export type Delays = readonly (number | undefined)[];

const NO_PAYLOAD = Object.freeze({});
const NO_CONTEXT: Context = Object.freeze({});

export interface RunOptions {
  clock: Pick<Clock, 'now'>;
  config: () => Record<string, unknown>;
  report: (issue: Issue) => void;
}

/** What one step of the machine makes, kept apart until the step is known to be whole. */
export class Run implements Host, Scope {
  commands: Command[] = [];
  /** States left (no delays) and entered, in order. */
  moves: { place: Place; delays: Delays | undefined }[] = [];
  handled = false;
  event: unknown = NO_PAYLOAD;
  eventName = 'start';
  context: Context = NO_CONTEXT;
  now = 0;
  readonly report: (issue: Issue) => void;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #config: () => Record<string, unknown>;
  #seen: Record<string, unknown> | undefined;

  constructor({ clock, config, report }: RunOptions) {
    this.#clock = clock;
    this.#config = config;
    this.report = report;
  }

  /** Begins a step that an event of this name makes. */
  begin(name: string, payload?: unknown): void {
    this.eventName = name;
    this.event = payload ?? NO_PAYLOAD;
    this.commands = [];
    this.moves = [];
    this.handled = false;
    this.now = this.#clock.now();
    this.#seen = undefined;
  }

  /** Read once a step and only where an expression asks: it may take a moment to put together. */
  get config(): Record<string, unknown> {
    this.#seen ??= this.#config();
    return this.#seen;
  }

  get mode(): unknown {
    return this.context.mode ?? null;
  }

  scopeOf(context: Context): Scope {
    this.context = context;
    return this;
  }

  emit(command: Command): void {
    this.commands.push(command);
  }

  taken(): void {
    this.handled = true;
  }

  entered(place: Place, delays: Delays): void {
    this.moves.push({ place, delays });
  }

  left(place: Place): void {
    this.moves.push({ place, delays: undefined });
  }
}
