import { createClient, type Message, type MessageBus } from 'dbus-native';
import { messageOf } from '../../core/model/errors.ts';
import type { Clock, Log } from '../../core/model/ports.ts';
import { SYSTEM_BUS } from './units.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER = 'org.freedesktop.systemd1.Manager';
const BUS = 'org.freedesktop.DBus';
const SIGNAL = 4;
/** Where systemd is gone, the bus shall not try to start it. */
const NO_AUTO_START = 2;
/** So long may the bus or systemd take for an answer. */
const ANSWER_MS = 10_000;
/** Between two attempts to connect. */
const RETRY_MS = 1000;

const RULES = [
  `type='signal',sender='${BUS}',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
  `type='signal',sender='${SYSTEMD}',path='${MANAGER_PATH}',interface='${MANAGER}',member='Reloading'`,
];

export interface BusWatcher {
  /** systemd answers and tells its signals from now on; also after anything that may have made it forget or change. */
  up(): void;
  /** Neither calls nor signals get through. */
  down(): void;
  signal(message: Message): void;
}

/** Called before the next message is read. */
export type Answer = (error: (Error & { dbusName?: string }) | null, value?: unknown) => void;

/** A call to systemd's manager; with a path or an interface, to another of its objects. */
export type Call = Pick<Message, 'member' | 'signature' | 'body' | 'path' | 'interface'>;

/** systemd on the system bus. Where the bus or systemd goes, it is sought again until closed. */
export class SystemdBus {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #rules: readonly string[];
  readonly #watcher: BusWatcher;
  #bus: MessageBus | undefined;
  /** systemd's address on the bus; undefined while it has none. */
  #owner: string | undefined;
  #retry: unknown;
  #complained = false;

  /** `rules` are the match rules of the signals to hear. */
  constructor(clock: Clock, log: Log, rules: readonly string[], watcher: BusWatcher) {
    this.#clock = clock;
    this.#log = log;
    this.#rules = [...RULES, ...rules.map((rule) => `type='signal',sender='${SYSTEMD}',${rule}`)];
    this.#watcher = watcher;
  }

  open(): void {
    // A client of its own for each connection, and no greeting by the library: it would throw out of a timer where the
    // bus stays mute.
    const bus = createClient({ busAddress: `unix:path=${SYSTEM_BUS}`, direct: true, timeout: ANSWER_MS });
    this.#bus = bus;
    const lost = (error: unknown) => this.#lose(bus, error);
    bus.connection.on('error', lost);
    bus.connection.on('close', lost);
    bus.connection.on('message', (message) => this.#hear(message));
    this.#introduce(bus).catch(lost);
  }

  /** Answered with an error at once while there is no connection. */
  call(call: Call, answer: Answer): void {
    if (this.#bus === undefined) answer(new Error('There is no connection to the system bus.'));
    else
      this.#bus.invoke(
        { path: MANAGER_PATH, interface: MANAGER, ...call, destination: SYSTEMD, flags: NO_AUTO_START },
        answer,
      );
  }

  /** Gives a connection up on which nothing is answered, for a new one. */
  renew(why: unknown): void {
    if (this.#bus !== undefined) this.#lose(this.#bus, why);
  }

  close(): void {
    const bus = this.#bus;
    this.#bus = undefined;
    this.#clock.clearTimeout(this.#retry);
    bus?.connection.stream.destroy();
  }

  async #introduce(bus: MessageBus): Promise<void> {
    await bus.invokeDbus({ member: 'Hello' });
    await Promise.all(this.#rules.map((rule) => bus.addMatch(rule)));
    // Without an owner it is still starting: NameOwnerChanged will tell.
    if (await bus.nameHasOwner(SYSTEMD)) await this.#subscribe(bus, await bus.getNameOwner(SYSTEMD));
  }

  async #subscribe(bus: MessageBus, owner: string): Promise<void> {
    this.#owner = owner;
    await new Promise<void>((resolve, reject) => {
      this.call({ member: 'Subscribe' }, (error) => {
        if (error && error.dbusName !== 'org.freedesktop.systemd1.AlreadySubscribed') reject(error);
        else resolve();
      });
    });
    if (bus !== this.#bus || owner !== this.#owner) return;
    this.#complained = false;
    this.#watcher.up();
  }

  /** Signals count from systemd and the bus alone: anybody may send us one. */
  #hear(message: Message): void {
    if (message.type !== SIGNAL) return;
    const { sender, member, body = [] } = message;
    if (sender === BUS && member === 'NameOwnerChanged' && body[0] === SYSTEMD) this.#follow(body[2]);
    else if (sender !== this.#owner) return;
    else if (message.interface !== MANAGER || member !== 'Reloading') this.#watcher.signal(message);
    else if (body[0] === false) this.#watcher.up();
  }

  #follow(owner: unknown): void {
    const bus = this.#bus;
    if (typeof owner === 'string' && owner !== '' && bus !== undefined) {
      this.#subscribe(bus, owner).catch((error: unknown) => this.#lose(bus, error));
      return;
    }
    this.#owner = undefined;
    this.#watcher.down();
  }

  #lose(bus: MessageBus, why: unknown): void {
    if (bus !== this.#bus) return;
    this.close();
    this.#owner = undefined;
    if (!this.#complained) {
      const reason = why instanceof Error ? messageOf(why) : 'the connection ended';
      this.#log.warn({ kind: 'system', msg: `No connection to systemd, trying again: ${reason}` });
    }
    this.#complained = true;
    this.#watcher.down();
    this.#retry = this.#clock.setTimeout(() => this.open(), RETRY_MS);
  }
}
