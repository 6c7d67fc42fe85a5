import { SkullError } from '../model/errors.ts';
import type { BrokerLink, Clock, Log, PackPorts, Random } from '../model/ports.ts';
import type { Priority } from '../model/priority.ts';
import type { ServiceName } from '../model/services.ts';
import type { Lane } from '../scheduler/lane.ts';
import type { Statechart } from '../statechart/statechart.ts';
import type { ServiceReport } from '../supervision/report.ts';
import { Supervisor } from '../supervision/supervisor.ts';
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

type Check = 'ok' | 'down' | 'not_configured';

/** The answer of `GET /health`. */
export interface Health {
  status: 'healthy' | 'degraded' | 'unhealthy';
  version: string;
  service: 'orchestrator';
  uptime_seconds: number;
  checks: { mqtt: Check; database: Check; service_manager: Check; statechart: Check; config: 'ok' | 'degraded' };
  /** In words. */
  problems: string[];
}
export const NOBODY_SEES_TO_SERVICES = 'Nobody sees to the services: deploy a flow with a skull-health node.';

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
  readonly intake: Intake;
  readonly ports: PackPorts;
  readonly #ends: (() => void)[];
  #life: Supervisor;
  #endChanges: () => void = () => {};
  #supervisor: Supervisor | undefined;
  #body: Statechart | undefined;
  #lane: Lane | undefined;
  #fullauto: FullAuto | undefined;
  #bodyProblems: () => readonly string[] = () => [];

  constructor(ports: PackPorts, link: BrokerLink) {
    this.ports = ports;
    this.link = link;
    this.events = new EventHub(ports);
    this.events.onEvent(({ kind, subject, cause, data }) => {
      if (kind !== 'rest') ports.log.info({ kind, msg: `${subject}: ${cause}`, subject, cause, ...data });
    });
    this.config = new ConfigStore({ folder: ports.documents('config'), clock: ports.clock, log: ports.log });
    this.#life = this.#hearer();
    this.#rely(this.#life).start();
    this.intake = new Intake({ clock: ports.clock, log: ports.log, life: { seen: (name) => this.#life.seen(name) } });
    this.#ends = [
      link.onConnection((connected) => this.#life.connected(connected)),
      this.config.onChange(({ section }) => {
        if (section === 'services') this.#life.settingsChanged();
      }),
    ];
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

  /** Who sees to the services; undefined while no skull-health node serves this character: then they are only heard. */
  get supervisor(): Supervisor | undefined {
    return this.#supervisor;
  }

  /** How the services are, whether or not anybody sees to them. */
  get life(): Supervisor {
    return this.#life;
  }

  /**
   * Lends the character a supervisor, who goes on with what is known of the services. It is told of signs of life, the
   * broker and the settings from now on, and its changes are told as events; whoever lends it starts and closes it. Returns
   * the function that takes it back.
   */
  supervise(supervisor: Supervisor): () => void {
    if (this.#supervisor === undefined) this.#life.close();
    this.#supervisor = supervisor;
    this.#rely(supervisor);
    return () => {
      if (this.#supervisor !== supervisor) return;
      this.#supervisor = undefined;
      this.#rely(this.#hearer()).start();
    };
  }

  /** What is wrong with what is stored, be it configuration or the body's memory, and with the services; empty when all is well. */
  problems(): string[] {
    const unseen = this.ports.services !== undefined && this.#supervisor === undefined ? [NOBODY_SEES_TO_SERVICES] : [];
    return [
      ...this.config.problems(),
      ...this.#bodyProblems(),
      ...unseen,
      ...this.#life.problems(),
      ...this.ports.events.problems(),
    ];
  }

  /** The answer of `GET /health`. */
  health(): Health {
    const problems = this.problems();
    const mqtt = this.link.connected ? 'ok' : 'down';
    const statechart = this.#body === undefined ? 'down' : 'ok';
    const faultless = mqtt === 'ok' && problems.length === 0;
    return {
      status: statechart === 'down' ? 'unhealthy' : faultless ? 'healthy' : 'degraded',
      version: this.ports.version,
      service: 'orchestrator',
      uptime_seconds: this.uptimeSeconds,
      checks: {
        mqtt,
        database: this.ports.events.check,
        service_manager: this.#life.managing,
        statechart,
        config: this.config.problems().length === 0 ? 'ok' : 'degraded',
      },
      problems,
    };
  }

  get uptimeSeconds(): number {
    return Math.floor(this.ports.clock.elapsed() / 1000);
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
        running_ms: Math.max(0, this.ports.clock.now() - activity.since),
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
    for (const end of this.#ends) end();
    this.#life.close();
    await Promise.all([this.config.close(), this.link.close()]);
  }

  /** Who hears the services where nobody sees to them. */
  #hearer(): Supervisor {
    const { clock, log } = this.ports;
    return new Supervisor({ clock, log, settings: () => this.config.get('services') });
  }

  #rely(supervisor: Supervisor): Supervisor {
    supervisor.catchUp(this.#life);
    supervisor.connected(this.link.connected);
    this.#endChanges();
    this.#endChanges = supervisor.onChange(({ service, state, cause, data }) => {
      this.events.append({ kind: 'service', subject: service, cause, data: { state, ...data } });
    });
    this.#life = supervisor;
    return supervisor;
  }
}
