import { type Issue, messageOf, SkullError } from '../model/errors.ts';
import type { Clock, Random } from '../model/ports.ts';
import type { Command, Context } from './actions.ts';
import { type Compiled, compile } from './compile.ts';
import type { Snapshot, StatechartDefinition } from './definition.ts';
import { Expressions } from './expressions.ts';
import type { Situation, Transition } from './machine.ts';
import { Run } from './run.ts';
import { fitting, known } from './snapshots.ts';
import { Timers } from './timers.ts';
import type { Place } from './tree.ts';
import { Turns } from './turns.ts';

export type { Command } from './actions.ts';
export type { Snapshot, StatechartDefinition } from './definition.ts';

export interface StatechartEvent {
  type: string;
  payload?: unknown;
}

/** What an event did. */
export interface Outcome {
  /** Whether some transition was taken. */
  readonly handled: boolean;
  readonly changed: boolean;
  readonly from: string;
  readonly to: string;
  readonly commands: readonly Command[];
  /** Sent while another event was at work: it follows after that one, and listeners will tell what it did. */
  readonly queued?: true;
}

/** One transition that was taken. */
export interface TransitionRecord {
  /** Empty when the machine starts anew. */
  from: string;
  to: string;
  changed: boolean;
  /** The event's name, `delay`, `start`, `reset` or `restore`. */
  event: string;
  payload: unknown;
  commands: Command[];
  /** Milliseconds since the epoch. */
  time: number;
  /** The state was left and entered again. */
  reentered?: true;
}

export interface StatechartOptions {
  clock: Clock;
  random: Random;
  /** What expressions see as `config`; read at most once an event. */
  config: () => Record<string, unknown>;
  /** Values that replace those of the definition's context, of a former life. */
  restored?: Record<string, unknown>;
  /** Where to go on, instead of the beginning. */
  snapshot?: Snapshot;
  /** Told of expressions that failed, with their place in the definition. */
  onError?: (issue: Issue) => void;
}

type Listener = (record: TransitionRecord) => void;

const NO_COMMANDS: readonly Command[] = Object.freeze([]);

/** A definition that runs: in its own time, with listeners who are told what it commands. */
export class Statechart {
  readonly #definition: StatechartDefinition;
  readonly #onError: (issue: Issue) => void;
  readonly #restored: Record<string, unknown>;
  readonly #compiled: Compiled;
  readonly #run: Run;
  readonly #timers: Timers;
  readonly #turns: Turns;
  #resume: Snapshot | undefined;
  /** Undefined while it does not run. */
  #at: Situation | undefined;
  /** The innermost active state, or the one in which it will begin. */
  #leaf: Place;
  #idle: Outcome;
  #listeners: readonly Listener[] = [];

  /** Throws SkullError `definition_invalid` for a definition that checkDefinition would refuse, `invalid` for an alien snapshot. */
  constructor(definition: StatechartDefinition, options: StatechartOptions) {
    this.#definition = definition;
    this.#onError = options.onError ?? (() => undefined);
    this.#restored = known(definition, options.restored ?? {});
    this.#run = new Run({ clock: options.clock, config: options.config, report: (issue) => this.#onError(issue) });
    this.#compiled = compile(definition, new Expressions(options.random), this.#run);
    this.#timers = new Timers(options.clock, (place, index, still) => this.#delayEnded(place, index, still));
    this.#turns = new Turns((message) => this.#onError({ path: '', message }));
    if (options.snapshot) this.#resume = fitting(definition, this.#compiled.tree, options.snapshot);
    this.#leaf = this.#place(this.#resume?.state ?? this.#compiled.tree.leafOf(undefined)?.path ?? '');
    this.#idle = this.#idleIn(this.#leaf);
  }

  get definition(): StatechartDefinition {
    return this.#definition;
  }

  /** The innermost active state, dotted from the root. */
  get state(): string {
    return this.#leaf.path;
  }

  get context(): Context {
    return this.#at?.context ?? { ...this.#definition.context, ...this.#restored, ...this.#resume?.context };
  }

  get started(): boolean {
    return this.#at !== undefined;
  }

  /** Begins, or goes on from the snapshot, and tells the listeners. Does nothing when it runs already. */
  start(): void {
    if (this.#at !== undefined) return;
    const resume = this.#resume;
    this.#resume = undefined;
    this.#turns.take(() => (resume ? this.#takeUp(resume, 'start') : this.#begin(this.#restored, 'start', '')));
  }

  /** Clears every timer and lets go of every listener. */
  stop(): void {
    this.#resume = this.#at && this.snapshot();
    this.#timers.stopAll();
    this.#listeners = [];
    this.#at = undefined;
  }

  /** Processes an event to its end. From inside a listener it is queued and processed after the current one. */
  send({ type, payload }: StatechartEvent): Outcome {
    if (this.#turns.busy) {
      this.#turns.take(() => this.#process(type, payload));
      return { ...this.#idle, queued: true };
    }
    if (this.#at === undefined || this.#compiled.machine.on(this.#leaf, type) === undefined) return this.#idle;
    let outcome = this.#idle;
    this.#turns.take(() => {
      outcome = this.#process(type, payload);
    });
    return outcome;
  }

  /** Back to the initial state and context, when it runs; keys that the definition persists keep their values. */
  reset(): void {
    this.#turns.take(() => {
      if (this.#at === undefined) return;
      const kept = new Set(this.#definition.persist);
      const values = Object.fromEntries(Object.entries(this.context).filter(([key]) => kept.has(key)));
      const from = this.state;
      this.#timers.stopAll();
      this.#begin(values, 'reset', from);
    });
  }

  /** Goes on from a snapshot of the same definition, when it runs. Throws SkullError `invalid` when it is none. */
  restore(snapshot: unknown): void {
    const resume = fitting(this.#definition, this.#compiled.tree, snapshot);
    this.#turns.take(() => {
      if (this.#at === undefined) return;
      this.#timers.stopAll();
      this.#takeUp(resume, 'restore');
    });
  }

  /** Plain JSON: what restores this machine where it stands, delays included. */
  snapshot(): Snapshot {
    const timers = this.#at ? this.#timers.snapshot() : (this.#resume?.timers ?? []);
    return { id: this.#definition.id, state: this.state, context: structuredClone({ ...this.context }), timers };
  }

  /** Called at the start and for each event that was handled. Returns the function that ends it. */
  onTransition(listener: Listener): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  }

  #idleIn(place: Place): Outcome {
    return Object.freeze({ handled: false, changed: false, from: place.path, to: place.path, commands: NO_COMMANDS });
  }

  #begin(values: Record<string, unknown>, event: string, from: string): void {
    this.#run.begin('start');
    try {
      this.#arrive(this.#compiled.machine.begin({ ...this.#definition.context, ...values }));
    } catch (error) {
      this.#onError({ path: '', message: messageOf(error) });
      return;
    }
    this.#tell(from, event, undefined);
  }

  #takeUp({ state, context, timers }: Snapshot, event: string): void {
    this.#run.begin(event);
    const from = this.#at === undefined ? state : this.state;
    this.#arrive({ leaf: this.#place(state), context: { ...this.#definition.context, ...context } });
    for (let place: Place | undefined = this.#leaf; place !== undefined; place = place.parent) {
      const { path, definition } = place;
      const delays = (definition.after ?? []).map(
        (_, index) => timers.find((timer) => timer.state === path && timer.after === index)?.remaining,
      );
      this.#timers.start(place, delays);
    }
    this.#tell(from, event, undefined);
  }

  #delayEnded(place: Place, index: number, still: () => boolean): void {
    this.#turns.take(() => {
      if (still()) this.#step(this.#compiled.machine.after(place, index), 'delay', undefined);
    });
  }

  #process(name: string, payload: unknown): Outcome {
    return this.#step(this.#compiled.machine.on(this.#leaf, name), name, payload);
  }

  #step(transitions: readonly Transition[] | undefined, event: string, payload: unknown): Outcome {
    if (this.#at === undefined || transitions === undefined) return this.#idle;
    this.#run.begin(event, payload);
    let after: Situation;
    try {
      after = this.#compiled.machine.step(this.#at, transitions);
    } catch (error) {
      // Nothing was committed yet: the machine stays where it was.
      this.#onError({ path: '', message: `${event} in ${this.state}: ${messageOf(error)}` });
      return this.#idle;
    }
    if (!this.#run.handled) return this.#idle;
    const from = this.#leaf.path;
    this.#arrive(after);
    const { changed, to, commands } = this.#tell(from, event, payload);
    return { handled: true, changed, from, to, commands };
  }

  #arrive(situation: Situation): void {
    this.#at = situation;
    for (const { place, delays } of this.#run.moves) {
      if (delays === undefined) this.#timers.stop(place);
      else if (delays.length > 0) this.#timers.start(place, delays);
    }
    if (situation.leaf === this.#leaf) return;
    this.#leaf = situation.leaf;
    this.#idle = this.#idleIn(situation.leaf);
  }

  #place(path: string): Place {
    const place = this.#compiled.tree.find(path);
    if (place === undefined) throw new SkullError('internal', `The machine is in an unknown state: ${path}`);
    return place;
  }

  #tell(from: string, event: string, payload: unknown): TransitionRecord {
    const { commands, moves, now } = this.#run;
    const to = this.#leaf.path;
    const record: TransitionRecord = { from, to, changed: from !== to, event, payload, commands, time: now };
    if (from === to && moves.some(({ place, delays }) => place === this.#leaf && delays !== undefined)) {
      record.reentered = true;
    }
    for (const listener of this.#listeners) {
      try {
        listener(record);
      } catch (error) {
        this.#onError({ path: '', message: `a listener failed: ${messageOf(error)}` });
      }
    }
    return record;
  }
}
