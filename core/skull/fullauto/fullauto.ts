import { messageOf, SkullError } from '../../model/errors.ts';
import type { Clock } from '../../model/ports.ts';
import type { Song } from '../../model/songs.ts';
import { Memory } from './memory.ts';
import { News } from './news.ts';
import type { Cycle, Ended, FullAutoOptions, Situation } from './ports.ts';
import { Repertoire } from './repertoire.ts';
import { Schedule } from './schedule.ts';
import { type FullAutoStatus, STEPS, type StartedCycle, type Step } from './status.ts';

export type { FullAutoStatus } from './status.ts';

/** At least so often the clock is looked at: it may have been set anew. */
const LOOK_EVERY_MS = 60_000;
const PREVIEW = 3;
/** So much longer than it waits and plays may a song take, for what interrupts it; then the loop goes on without its end. */
const SONG_MARGIN_MS = 60_000;
/** So long a song waits for the body at least, however short the interval: a conversation may be going on. */
const SHORTEST_WAIT_MS = 60_000;
const UNKNOWN_SONG_MS = 600_000;
/** No claim may have a longer name; titles come from tags. */
const LONGEST_NAME = 200;
const ENDS_STEP = { accueil: 'greet', ia: 'converse' } as const;

/**
 * The show that runs by itself in mode FullAuto: a song each interval, from start to start, then a time for greetings, then
 * one for conversations. It asks for the body as anybody does; nothing that fails or is silent stops it.
 */
export class FullAuto {
  readonly #options: FullAutoOptions;
  readonly #clock: Clock;
  readonly #memory: Memory;
  readonly #repertoire: Repertoire;
  readonly #news: News;
  readonly #schedule: Schedule;
  #situation: Situation = { mode: 'Idle', estop: false };
  #cycle: Cycle | undefined;
  /** The song whose start counts for the next one. */
  #counted: string | undefined;
  /** The step that was last said; undefined when none was yet. */
  #shown: '' | 'accueil' | 'ia' | undefined;
  #timer: unknown;
  #running = false;

  constructor(options: FullAutoOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#memory = new Memory(options.folder, options.clock, options.log);
    const { last_start, bag, played, last_song } = this.#memory.load();
    const { clock, config, songs, random, log } = options;
    this.#schedule = new Schedule(clock, config, last_start ?? undefined);
    this.#repertoire = new Repertoire(songs, random, log, { bag, played, last: last_song });
    this.#news = new News(options.tell);
    this.#cycle = options.cycle;
  }

  start(): void {
    this.#running = true;
    this.#show();
    const cycle = this.#cycle;
    if (cycle?.step === 'song' && cycle.songMs === undefined) this.#drawFor(cycle);
    else this.#repertoire.look().catch((error: unknown) => this.#failed(error));
    this.#go('start');
  }

  /** Ends all timers and resolves once what is to be kept is on disk. Says nothing to anybody; the cycle can still be read. */
  stop(): Promise<void> {
    this.#running = false;
    this.#clock.clearTimeout(this.#timer);
    return this.#memory.flush();
  }

  get cycle(): Cycle | undefined {
    return this.#cycle;
  }

  /** The statechart's mode or its e-stop has changed. */
  mode(situation: Situation): void {
    if (this.#options.situation?.() === undefined) this.#take(situation);
    this.#go('mode');
  }

  /** An activity has ended, whoever claimed it. */
  done({ id, kind, outcome, started_at }: Ended): void {
    this.#look();
    if (id === this.#counted && started_at !== null) {
      this.#counted = undefined;
      this.#schedule.startedAt(started_at);
      this.#save();
    }
    const cycle = this.#cycle;
    if (cycle?.step === 'song' ? id === cycle.id : cycle && kind === ENDS_STEP[cycle.step] && outcome === 'completed') {
      this.#advance('activity/done');
    }
    this.#go('activity/done');
  }

  configChanged(): void {
    this.#go('config');
  }

  /**
   * Starts the next song now, and what follows it; also on hold and in quiet hours. Throws SkullError `estop`, `conflict`
   * (another mode), `busy` (a song of FullAuto plays or waits), `not_allowed` (no song).
   */
  async next(): Promise<StartedCycle> {
    const check = () => {
      this.#refuseUnderEstop('Starting the next song');
      const { mode } = this.#situation;
      if (mode !== 'FullAuto') {
        throw new SkullError('conflict', `The next song starts in mode FullAuto only, and the mode is ${mode}.`);
      }
      if (this.#cycle?.step === 'song')
        throw new SkullError('busy', 'A song of FullAuto plays already, or is about to.');
    };
    check();
    await this.#repertoire.look();
    check();
    if (this.#repertoire.size === 0)
      throw new SkullError('not_allowed', 'There is no song: POST /song/upload brings one.');
    return this.#begin('next');
  }

  /**
   * Runs one whole cycle now, in any mode. Where there is no song it has the other steps only. Throws SkullError `estop`,
   * `busy` (a cycle runs), `not_allowed` (there is no step to do).
   */
  async testOnce(): Promise<StartedCycle> {
    const check = () => {
      this.#refuseUnderEstop('A test of FullAuto');
      if (this.#cycle) throw new SkullError('busy', `A cycle of FullAuto runs: its step is ${this.#cycle.step}.`);
    };
    check();
    await this.#repertoire.look();
    check();
    if (this.#steps().length === 0) {
      throw new SkullError('not_allowed', 'There is nothing to do: there is no song, and no step follows one.');
    }
    return this.#begin('test-once');
  }

  status(): FullAutoStatus {
    const { hold, shuffle } = this.#options.config();
    const next = this.#nextAt();
    const upcoming: FullAutoStatus['upcoming'] = [];
    if (next !== undefined) {
      let at = next;
      for (const song of this.#repertoire.upcoming(PREVIEW, shuffle)) {
        upcoming.push({ at: iso(at), song });
        at = this.#schedule.after(at);
      }
    }
    return {
      enabled: this.#situation.mode === 'FullAuto',
      next_song_at: next === undefined ? null : iso(next),
      step: this.#cycle?.step ?? null,
      cycle_id: this.#cycle?.id ?? null,
      held: hold,
      upcoming,
    };
  }

  #look(): void {
    const situation = this.#options.situation?.();
    if (situation !== undefined) this.#take(situation);
  }

  #take({ mode, estop }: Situation): void {
    const before = this.#situation;
    this.#situation = { mode, estop };
    if (estop && !before.estop) this.#end('estop');
    else if (mode !== before.mode && mode !== 'FullAuto') {
      const cycle = this.#cycle;
      this.#end('mode');
      if (cycle?.step === 'song') this.#options.cancel(cycle.id);
    }
  }

  #refuseUnderEstop(what: string): void {
    this.#look();
    if (!this.#situation.estop) return;
    const text = `${what} is not possible under emergency stop: release it with POST /estop {"active": false}.`;
    throw new SkullError('estop', text);
  }

  /** Does what is due, tells what has changed, and sees to it that it will be called when something is due again. */
  #go(cause: string): void {
    if (!this.#running) return;
    this.#look();
    const now = this.#clock.now();
    this.#schedule.mistrustClock();
    if (this.#cycle) this.#cycle.since = Math.min(this.#cycle.since, now);
    if (now >= this.#endOfStep()) this.#advance('delay');
    const next = this.#nextAt();
    if (this.#cycle === undefined && next !== undefined && next <= now) this.#begin('schedule');
    this.#tell(cause);
    this.#arm();
  }

  #arm(): void {
    this.#clock.clearTimeout(this.#timer);
    const at = this.#cycle === undefined ? this.#nextAt() : this.#endOfStep();
    if (at === undefined) return;
    const wait = Math.min(Math.max(0, at - this.#clock.now()), LOOK_EVERY_MS);
    this.#timer = this.#clock.setTimeout(() => this.#go('delay'), wait);
  }

  /** When the next song starts if nothing runs; undefined while none will. Now, where it is due. */
  #nextAt(): number | undefined {
    const { mode, estop } = this.#situation;
    return mode === 'FullAuto' && !estop ? this.#schedule.next() : undefined;
  }

  /** What a cycle has by now; a step that was switched off ends. */
  #steps(): Step[] {
    const { accueil_after_song, ia_after_accueil } = this.#options.config();
    const wanted = { song: this.#repertoire.size > 0, accueil: accueil_after_song, ia: ia_after_accueil };
    return STEPS.filter((step) => wanted[step]);
  }

  #endOfStep(): number {
    const cycle = this.#cycle;
    if (cycle === undefined) return Number.POSITIVE_INFINITY;
    if (cycle.step === 'song') return cycle.since + (cycle.songMs ?? SONG_MARGIN_MS);
    if (!this.#steps().includes(cycle.step)) return cycle.since;
    const { accueil_step_ms, ia_step_ms } = this.#options.config();
    return cycle.since + (cycle.step === 'accueil' ? accueil_step_ms : ia_step_ms);
  }

  #begin(cause: 'schedule' | 'next' | 'test-once'): StartedCycle {
    const now = this.#clock.now();
    const cycle: Cycle = { id: this.#options.random.id(), step: 'song', since: now, songMs: undefined };
    this.#cycle = cycle;
    this.#counted = undefined;
    if (this.#situation.mode === 'FullAuto') {
      this.#counted = cycle.id;
      this.#schedule.startedAt(now);
    }
    this.#tell(cause);
    this.#show();
    this.#arm();
    this.#drawFor(cycle);
    return { cycle_id: cycle.id, steps: this.#steps() };
  }

  #advance(cause: string): void {
    const cycle = this.#cycle;
    if (cycle === undefined) return;
    const step = this.#steps().find((other) => STEPS.indexOf(other) > STEPS.indexOf(cycle.step));
    if (step === undefined) {
      this.#end(cause);
      return;
    }
    cycle.step = step;
    cycle.since = this.#clock.now();
    this.#tell(cause);
    this.#show();
  }

  #end(cause: string): void {
    if (this.#cycle === undefined) return;
    this.#cycle = undefined;
    this.#tell(cause);
    this.#show();
  }

  #show(): void {
    const step = this.#cycle?.step ?? 'song';
    const shown = step === 'song' ? '' : step;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#options.step(shown);
  }

  #drawFor(cycle: Cycle): void {
    this.#repertoire
      .draw(() => this.#options.config().shuffle)
      .then((song) => {
        this.#look();
        if (this.#cycle === cycle && cycle.step === 'song' && this.#running) this.#sing(cycle, song);
      })
      .catch((error: unknown) => this.#failed(error));
  }

  #sing(cycle: Cycle, song: Song | undefined): void {
    this.#save();
    if (song === undefined) {
      this.#advance('no song');
      this.#go('no song');
      return;
    }
    const { name, title, path, duration_ms } = song;
    const ttl_ms = Math.max(this.#options.config().interval_song_ms, SHORTEST_WAIT_MS);
    cycle.since = this.#clock.now();
    cycle.songMs = ttl_ms + (duration_ms ?? UNKNOWN_SONG_MS) + SONG_MARGIN_MS;
    this.#go('schedule');
    this.#options.claim({
      id: cycle.id,
      kind: 'sing',
      name: title.slice(0, LONGEST_NAME),
      priority: 'LOW',
      args: { song: name, path, duration_ms },
      key: 'fullauto',
      ttl_ms,
      cause: 'fullauto',
    });
  }

  #failed(error: unknown): void {
    this.#options.log.error({ kind: 'activity', msg: `FullAuto: ${messageOf(error)}` });
  }

  #save(): void {
    const { bag, played, last } = this.#repertoire.memory;
    this.#memory.save({ last_start: this.#schedule.lastStart ?? null, bag, played, last_song: last });
  }

  #tell(cause: string): void {
    this.#news.of(this.status(), cause, this.#clock.now());
  }
}

const iso = (time: number): string => new Date(time).toISOString();
