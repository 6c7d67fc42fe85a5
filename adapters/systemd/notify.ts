import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../core/model/errors.ts';
import type { Clock } from '../../core/model/ports.ts';

const run = promisify(execFile);
const COMMAND = '/usr/bin/systemd-notify';
/** systemd-notify waits until it was heard; no longer than this. */
const TIMEOUT_MS = 5000;
/** So many beats fall into the time after which systemd takes us for dead. */
const BEATS = 3;

export interface NotifierOptions {
  variables: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Told once when systemd cannot be. */
  complain(msg: string): void;
}

/**
 * Tells the service manager that started us (`Type=notify`) how we are; without one nothing happens. From `ready` on, it
 * hears from the event loop three times within `WatchdogSec=`: when the loop is blocked, it does not. Node has no
 * datagram sockets of the Unix kind, so systemd's own program sends: a unit needs `NotifyAccess=all`.
 */
export class Notifier {
  readonly #socket: string | undefined;
  readonly #beatMs: number | undefined;
  readonly #clock: Clock;
  readonly #complain: (msg: string) => void;
  #beat: unknown;
  #failed = false;

  constructor({ variables, clock, complain }: NotifierOptions) {
    this.#socket = variables.NOTIFY_SOCKET || undefined;
    this.#clock = clock;
    this.#complain = complain;
    const { WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = variables;
    // Without a number of a process it is meant for everybody who reads it.
    if (Number(limit) > 0 && (!pid || Number(pid) === process.pid)) this.#beatMs = Number(limit) / 1000 / BEATS;
  }

  /** Everything runs; `status` is a line for a person who asks systemd. Resolves when systemd has heard. */
  async ready(status: string): Promise<void> {
    await this.#send('READY=1', `STATUS=${status}`);
    this.#keepAlive();
  }

  /** The start failed, for this reason. */
  async failed(reason: string): Promise<void> {
    await this.#send(`STATUS=${reason}`);
  }

  /** A stop that was asked for begins. */
  async stopping(): Promise<void> {
    this.#clock.clearTimeout(this.#beat);
    await this.#send('STOPPING=1', 'STATUS=Stopping');
  }

  #keepAlive(): void {
    if (this.#socket === undefined || this.#beatMs === undefined) return;
    this.#beat = this.#clock.setTimeout(() => {
      this.#keepAlive();
      void this.#send('WATCHDOG=1');
    }, this.#beatMs);
  }

  async #send(...messages: string[]): Promise<void> {
    if (this.#socket === undefined) return;
    try {
      await run(COMMAND, messages, { env: { NOTIFY_SOCKET: this.#socket }, timeout: TIMEOUT_MS });
    } catch (error) {
      if (!this.#failed) this.#complain(`systemd cannot be told how we are: ${messageOf(error)}`);
      this.#failed = true;
    }
  }
}
