import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type ErrorCode, messageOf, SkullError } from '../../core/model/errors.ts';
import type { Clock, Log } from '../../core/model/ports.ts';
import type { ServiceManager, UnitChange, UnitState, Verb } from '../../core/model/service-manager.ts';
import { SERVICES, type ServiceName } from '../../core/model/services.ts';
import { knownVerb } from '../../core/supervision/allowed.ts';
import { UnitBook } from '../../core/supervision/unit-book.ts';
import { refusal, tooLate } from './refusals.ts';
import { isDown, ORDER_MS, stateOf, unitOf } from './units.ts';

const POLL_MS = 5000;
const COMMON = ['--no-ask-password', '--no-pager'];
const PROPERTIES = 'Id,LoadState,ActiveState,Job,Result,ActiveExitTimestampMonotonic,ExecMainExitTimestampMonotonic';

const BINARY = ['/usr/bin/systemctl', '/bin/systemctl'].find(existsSync) ?? '/usr/bin/systemctl';

/** Its words in English for what went wrong, most telling first. */
const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/access denied|authentication (is )?required|permission denied|not permitted/i, 'forbidden'],
  [/not found|not loaded/i, 'not_found'],
  [/failed to connect to bus|host is down|transport endpoint|ENOENT/i, 'unavailable'],
  [/timed out/i, 'timeout'],
];

/** The `Key=value` lines of one unit. */
type Shown = Readonly<Record<string, string>>;

const shownOf = (block: string): Shown =>
  Object.fromEntries(block.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));

/**
 * Whether somebody asked for the end of a unit that has not failed. Then it was on its way down before its process ended;
 * a process that ends by itself takes its unit with it. Of a unit that systemd has forgotten neither is known: it ended
 * well, and is taken for asked, so that nothing put down on purpose is woken.
 */
function isAsked({ Result, ActiveExitTimestampMonotonic, ExecMainExitTimestampMonotonic }: Shown): boolean {
  const processEnd = Number(ExecMainExitTimestampMonotonic);
  return Result !== 'success' || processEnd === 0 || Number(ActiveExitTimestampMonotonic) < processEnd;
}

/** systemd by its command, for where there is no D-Bus: a process for every order, and one every five seconds to look. */
export class SystemctlManager implements ServiceManager {
  readonly kind = 'systemctl';
  readonly #clock: Clock;
  readonly #pollMs: number;
  readonly #book: UnitBook;
  readonly #running = new AbortController();
  /** What we are about to start: that it is down meanwhile is no news. */
  readonly #starting = new Set<ServiceName>();
  #looking: Promise<void> = Promise.resolve();
  #timer: unknown;

  constructor({ clock, log, pollMs = POLL_MS }: { clock: Clock; log: Log; pollMs?: number }) {
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#book = new UnitBook(log);
  }

  get connected(): boolean {
    return this.#book.connected;
  }

  /** Looks for the first time; resolves once it has seen. */
  open(): Promise<void> {
    return this.#poll();
  }

  unit(service: ServiceName): UnitState {
    return this.#book.unit(service);
  }

  async act(service: ServiceName, verb: Verb): Promise<UnitState> {
    const name = unitOf(service);
    knownVerb(verb);
    const late = () => tooLate(verb, name);
    if (verb !== 'stop') this.#starting.add(service);
    try {
      // A unit that fell too often is refused until its falls are forgotten. Where we may not do that, it may start yet.
      if (verb !== 'stop' && this.unit(service) === 'failed') await this.#run(['reset-failed', name]).catch(() => {});
      await this.#run([verb, name], late);
    } catch (error) {
      if (error instanceof SkullError) throw error;
      const reason =
        messageOf(error)
          .replace(/^Command failed: .*\n/, '')
          .trim()
          .split('\n')[0] ?? '';
      throw refusal(CODES.find(([pattern]) => pattern.test(reason))?.[1] ?? 'conflict', verb, name, reason, error);
    } finally {
      this.#starting.delete(service);
      await this.#look();
    }
    return this.unit(service);
  }

  onUnit(listener: (change: UnitChange) => void): () => void {
    return this.#book.onUnit(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#book.onConnection(listener);
  }

  async close(): Promise<void> {
    this.#running.abort();
    this.#clock.clearTimeout(this.#timer);
    this.#book.close();
  }

  async #poll(): Promise<void> {
    await this.#look();
    if (this.#running.signal.aborted) return;
    this.#timer = this.#clock.setTimeout(() => void this.#poll(), this.#pollMs);
  }

  /** One look after the other, so that the last one to look is the last to tell. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookNow());
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    if (this.#running.signal.aborted) return;
    try {
      const output = await this.#run(['show', `--property=${PROPERTIES}`, ...SERVICES.map(unitOf)]);
      for (const block of output.trim().split('\n\n')) this.#read(shownOf(block));
      this.#book.connect(true);
    } catch {
      // What it says is told with the next order; here it only means that we cannot see.
      this.#book.connect(false);
    }
  }

  #read(shown: Shown): void {
    const service = SERVICES.find((one) => unitOf(one) === shown.Id);
    if (service === undefined) return;
    const state = stateOf(shown.LoadState ?? '', shown.ActiveState ?? '');
    // With a job still under way a unit that is down is about to come up again.
    if (isDown(state) && (Number(shown.Job ?? 0) !== 0 || this.#starting.has(service))) return;
    const asked = state === 'stopped' && this.unit(service) !== 'unknown' && isAsked(shown);
    const result = state === 'failed' ? (shown.Result ?? null) : null;
    this.#book.move(service, state, { asked, result });
  }

  /** No shell, and nothing of ours in its environment. Rejects with what it says. */
  #run(words: readonly string[], late?: () => SkullError): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' }, signal: this.#running.signal };
      const child = execFile(BINARY, [...COMMON, ...words], options, (error, stdout) => {
        this.#clock.clearTimeout(timer);
        if (error) reject(error);
        else resolve(stdout);
      });
      const timer = this.#clock.setTimeout(() => {
        child.kill();
        reject(late?.() ?? new Error('systemctl does not answer'));
      }, ORDER_MS);
    });
  }
}
