import { SkullError } from '../model/errors.ts';
import type { BrokerLink, Clock, Log, PackPorts, Random } from '../model/ports.ts';
import type { Priority } from '../model/priority.ts';
import type { ServiceName } from '../model/services.ts';
import type { Lane } from '../scheduler/lane.ts';
import type { Statechart } from '../statechart/statechart.ts';
import { type ServiceReport, SignsOfLife } from '../supervision/life.ts';
import { activityOf, chronicle, chronicleLane } from './chronicle.ts';
import { ConfigStore } from './config/store.ts';
import { EventHub } from './events.ts';
import type { FullAuto, FullAutoStatus } from './fullauto/fullauto.ts';
import { Intake } from './intake.ts';

/** The answer of `GET /status` and the payload of `orchestrator/status`. */
export interface Status {
  mode: string;
  state: string;
  estop: boolean;
  uptime_seconds: number;
  version: string;
  activity: { id: string; kind: string; priority: Priority; running_ms: number } | null;
  queued: number;
  paused: number;
  services: Record<ServiceName, ServiceReport>;
  mqtt: { connected: boolean; url: string };
  fullauto: FullAutoStatus;
}

const taken = (what: string) =>
  new SkullError('conflict', `The character has a ${what} already: only one node can be that.`);

const NO_SHOW: FullAutoStatus = {
  enabled: false,
  next_song_at: null,
  step: null,
  cycle_id: null,
  held: false,
  upcoming: [],
};

/**
 * One skull: its connection, its configuration, the facts of its life, and its body (the statechart that the skull-fsm
 * node lends it). Nodes meet here; each holds only its own part.
 */
export class Character {
  readonly link: BrokerLink;
  readonly config: ConfigStore;
  readonly events: EventHub;
  readonly life: SignsOfLife;
  readonly intake: Intake;
  readonly ports: PackPorts;
  readonly #startedAt: number;
  #body: Statechart | undefined;
  #lane: Lane | undefined;
  #fullauto: FullAuto | undefined;
  #bodyProblems: () => readonly string[] = () => [];

  constructor(ports: PackPorts, link: BrokerLink) {
    this.ports = ports;
    this.link = link;
    this.#startedAt = ports.clock.now();
    this.events = new EventHub(ports.clock, ports.log);
    this.events.onEvent(({ kind, subject, cause, data }) => {
      if (kind !== 'rest') ports.log.info({ kind, msg: `${subject}: ${cause}`, subject, cause, ...data });
    });
    this.config = new ConfigStore({ folder: ports.documents('config'), clock: ports.clock, log: ports.log });
    const timeoutOf = (service: ServiceName) => this.config.get('services')[service].timeout_ms;
    this.life = new SignsOfLife(ports.clock, timeoutOf, ports.log);
    this.life.onChange((subject, state) => {
      const cause = state === 'alive' ? 'heartbeat' : 'silence';
      this.events.append({ kind: 'service', subject, cause, data: { state } });
    });
    this.intake = new Intake({ clock: ports.clock, log: ports.log, life: this.life });
  }

  get clock(): Clock {
    return this.ports.clock;
  }

  get random(): Random {
    return this.ports.random;
  }

  get log(): Log {
    return this.ports.log;
  }

  /** The statechart that moves the skull; undefined while no skull-fsm node serves this character. */
  get body(): Statechart | undefined {
    return this.#body;
  }

  /**
   * Lends the character its body, whose life is told as events from now on; `problems` says what is wrong with it, one
   * sentence each. Returns the function that takes it back. Throws `conflict` where it has one.
   */
  embody(body: Statechart, problems: () => readonly string[] = () => []): () => void {
    if (this.#body !== undefined) throw taken('statechart');
    this.#body = body;
    this.#bodyProblems = problems;
    const endChronicle = chronicle(body, (event) => this.events.append(event));
    return () => {
      endChronicle();
      if (this.#body !== body) return;
      this.#body = undefined;
      this.#bodyProblems = () => [];
    };
  }

  /** Who decides which activity has the body; undefined while no skull-priority node serves this character. */
  get lane(): Lane | undefined {
    return this.#lane;
  }

  /** Lends the character the lane of its body, whose activities are told as events from now on. Returns the function that takes it back. */
  arbitrate(lane: Lane): () => void {
    if (this.#lane !== undefined) throw taken('lane');
    this.#lane = lane;
    const endChronicle = chronicleLane(lane, (event) => this.events.append(event));
    return () => {
      endChronicle();
      if (this.#lane === lane) this.#lane = undefined;
    };
  }

  /** The show that runs by itself; undefined while no skull-fullauto node serves this character. */
  get fullauto(): FullAuto | undefined {
    return this.#fullauto;
  }

  /** Lends the character its show. Returns the function that takes it back. */
  conduct(fullauto: FullAuto): () => void {
    this.#fullauto = fullauto;
    return () => {
      if (this.#fullauto === fullauto) this.#fullauto = undefined;
    };
  }

  /** What is wrong with what is stored, be it configuration or the body's memory; empty when all is well. */
  problems(): string[] {
    return [...this.config.problems(), ...this.#bodyProblems()];
  }

  get uptimeSeconds(): number {
    return Math.floor((this.ports.clock.now() - this.#startedAt) / 1000);
  }

  /** How many activities are paused: those that made room for another one, and a song that somebody paused. */
  get pausedCount(): number {
    return (this.#lane?.pausedCount ?? 0) + (this.#body?.context.paused === true ? 1 : 0);
  }

  status(): Status {
    const context = this.#body?.context ?? {};
    const mode = typeof context.mode === 'string' ? context.mode : 'Idle';
    const activity = activityOf(context);
    return {
      mode,
      state: this.#body?.state ?? 'Idle',
      estop: context.estop === true,
      uptime_seconds: this.uptimeSeconds,
      version: this.ports.version,
      activity: activity && {
        id: activity.id,
        kind: activity.kind,
        priority: activity.priority,
        running_ms: this.ports.clock.now() - activity.since,
      },
      queued: this.#lane?.waitingCount ?? 0,
      paused: this.pausedCount,
      services: this.life.report(),
      mqtt: { connected: this.link.connected, url: this.link.url },
      fullauto: this.#fullauto?.status() ?? { ...NO_SHOW, enabled: mode === 'FullAuto' },
    };
  }

  /** Ends what runs, as somebody would who stops the skull for good: the voice falls silent, the jaw closes. */
  retire(): void {
    this.#lane?.cancel({});
  }

  /** Ends the connection and writes what waits. */
  async close(): Promise<void> {
    this.life.close();
    await Promise.all([this.config.close(), this.link.close()]);
  }
}
