import type { NewEvent } from '../../model/event.ts';
import type { FullAutoStatus } from './status.ts';

/** Tells what has changed of FullAuto's status since it was last told: the cycle, its step, and when the next song comes. */
export class News {
  readonly #tell: (event: NewEvent) => void;
  #cycle: string | null = null;
  #step: FullAutoStatus['step'] = null;
  /** Undefined until it was first looked at, which is no change. */
  #plan: string | undefined;

  constructor(tell: (event: NewEvent) => void) {
    this.#tell = tell;
  }

  /** `now` in milliseconds since the epoch. */
  of({ upcoming: _, ...status }: FullAutoStatus, cause: string, now: number): void {
    const { cycle_id, step, next_song_at, enabled, held } = status;
    // A song that is due and waits only for the present cycle is due at a later time each time one looks.
    const isDue = next_song_at !== null && Date.parse(next_song_at) <= now;
    const plan = JSON.stringify([isDue ? 'due' : next_song_at, enabled, held]);
    const before = { cycle: this.#cycle, step: this.#step, plan: this.#plan };
    this.#cycle = cycle_id;
    this.#step = step;
    this.#plan = plan;
    const tell = (phase: string) => {
      const data = { phase, ...status, cycle_id: cycle_id ?? before.cycle };
      this.#tell({ kind: 'activity', subject: 'fullauto', cause, data });
    };
    if (cycle_id !== before.cycle) tell(cycle_id === null ? 'ended' : 'started');
    else if (step !== before.step) tell('step');
    else if (before.plan !== undefined && plan !== before.plan) tell('planned');
  }
}
