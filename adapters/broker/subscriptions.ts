import type { BrokerMessage, Log } from '../../core/model/ports.ts';
import { pubackPacket, subscribePacket, unsubscribePacket } from './control-packets.ts';
import { covers, minimal } from './filters.ts';
import { emptyView, type PublishView, readPublish } from './publish-packet.ts';
import { type Route, Router, type Subscriber } from './router.ts';
import type { Session } from './session.ts';

/** A filter as the broker holds it for us. */
interface Held {
  readonly filter: string;
  /** How early it was asked for: of several filters that fit a topic the earliest acknowledged one counts. */
  readonly order: number;
  qos: 0 | 1;
  acknowledged: boolean;
  /** Packet id of the UNSUBSCRIBE that is on its way, 0 for none. */
  leaving: number;
}

/** What a subscription identifier stands for. */
interface Identifier {
  readonly held: Held;
  /** The first of two subscriptions: what is stored comes with it, and only that carries the retain flag. */
  readonly storing: boolean;
  /** What is stored is meant for subscribers from this order on. */
  readonly from: number;
}

export interface SubscriptionsOptions {
  log: Log;
  /** True for a message that this link itself published. `live`: not one that the broker had stored. */
  own(view: PublishView, payload: Uint8Array, live: boolean): boolean;
  /** The broker has acknowledged everything that was subscribed when the connection came up. */
  ready(): void;
}

/**
 * What one session subscribes, and to whom what comes in is handed.
 *
 * With MQTT 5 each filter is subscribed twice in a row, each time under its own identifier: first with the retain flag
 * meaning "stored", then without stored messages and with the flag as published. The identifier that comes with a
 * message says under which of the two it was sent, so stored and live are told apart exactly, and of the copies that
 * a broker sends for overlapping filters one is taken. Without identifiers the retain flag alone means "stored".
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #router: Router;
  readonly #view = emptyView();
  #session: Session | undefined;
  #held = new Map<string, Held>();
  #identifiers = new Map<number, Identifier>();
  #asked = new Map<number, Held>();
  #chosen = new Map<string, Held | undefined>();
  #order = 0;
  #ready = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#router = new Router(options.log);
  }

  /** Whether the session is up and everything is subscribed. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether anybody listens to this topic. */
  has(topic: string): boolean {
    return this.#router.route(topic).subscribers.length > 0;
  }

  add(filters: readonly string[], listener: (message: BrokerMessage) => void, qos: 0 | 1): () => void {
    const subscriber = this.#router.add(filters, listener, qos);
    this.#sync(subscriber);
    return () => {
      if (!subscriber.active) return;
      this.#router.delete(subscriber);
      this.#sync();
    };
  }

  /** The session is up: subscribes everything. */
  start(session: Session): void {
    this.#session = session;
    this.#router.forgetStored();
    this.#sync();
    this.#settle();
  }

  /** The session is down. */
  stop(): void {
    this.#session = undefined;
    this.#ready = false;
    this.#held = new Map();
    this.#identifiers = new Map();
    this.#asked = new Map();
    this.#chosen = new Map();
  }

  acknowledged(packetId: number, code: number): void {
    const held = this.#asked.get(packetId);
    if (held === undefined) return;
    this.#asked.delete(packetId);
    if (held.leaving === packetId) this.#drop(held);
    else if (code >= 0x80) {
      this.#options.log.warn({ kind: 'mqtt', msg: 'the broker refused a subscription', filter: held.filter });
    } else if (!held.acknowledged) {
      held.acknowledged = true;
      this.#chosen.clear();
    }
    this.#settle();
  }

  /** Hands a PUBLISH packet to those who listen. */
  receive(header: number, bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    const view = this.#view;
    if (session === undefined || !readPublish(view, header, bytes, start, end, session.version)) return;
    if (view.qos === 1) session.send(pubackPacket(view.packetId));
    const route = this.#router.route(view.topic);
    if (route.subscribers.length === 0) return;
    const payload = bytes.subarray(view.payloadAt, end);
    if (view.subscriptionId !== 0) this.#receiveIdentified(route, view, payload);
    else if (!this.#options.own(view, payload, !view.retain)) this.#receivePlain(route, view, payload);
  }

  #receivePlain(route: Route, view: PublishView, payload: Uint8Array): void {
    const { topic } = view;
    if (view.retain) {
      this.#router.deliverStored(route, { topic, payload, stored: true, retain: undefined }, 0);
      return;
    }
    // Without identifiers nobody says for whom a stored message is: who has heard of the topic needs none.
    route.toldUpTo = this.#router.latest;
    this.#router.deliver(route, { topic, payload, stored: false, retain: undefined });
  }

  #receiveIdentified(route: Route, view: PublishView, payload: Uint8Array): void {
    const { topic, retain } = view;
    let identifier = this.#identifiers.get(view.subscriptionId);
    if (identifier?.storing === true && retain) {
      if (this.#options.own(view, payload, false)) return;
      this.#router.deliverStored(route, { topic, payload, stored: true, retain: true }, identifier.from);
      return;
    }
    const chosen = this.#choose(topic);
    if (identifier?.held !== chosen) {
      identifier = view.moreIds.map((id) => this.#identifiers.get(id)).find((other) => other?.held === chosen);
    }
    if (identifier === undefined || this.#options.own(view, payload, true)) return;
    this.#router.deliver(route, { topic, payload, stored: false, retain: identifier.storing ? undefined : retain });
  }

  /** The filter whose copy of a message counts. */
  #choose(topic: string): Held | undefined {
    if (this.#chosen.has(topic)) return this.#chosen.get(topic);
    const fitting = [...this.#held.values()].filter(({ filter }) => covers(filter, topic));
    fitting.sort((a, b) => Number(b.acknowledged) - Number(a.acknowledged) || a.order - b.order);
    if (this.#chosen.size > 8192) this.#chosen.clear();
    this.#chosen.set(topic, fitting[0]);
    return fitting[0];
  }

  /** Brings what the broker holds in line with what is listened to; `newcomer` is to be told what is stored. */
  #sync(newcomer?: Subscriber): void {
    const session = this.#session;
    if (session === undefined) return;
    const wanted = minimal(this.#router.filters());
    for (const [filter, qos] of wanted) {
      const held = this.#held.get(filter);
      const tells = newcomer?.filters.some((other) => covers(filter, other)) ?? false;
      if (held === undefined || held.leaving !== 0 || held.qos < qos || tells) {
        const everybody = held === undefined && newcomer === undefined && !this.#ready;
        this.#subscribe(session, filter, qos, everybody ? 0 : tells ? (newcomer?.order ?? 0) : undefined);
      }
    }
    for (const held of this.#held.values()) {
      if (!wanted.has(held.filter) && held.leaving === 0) this.#unsubscribe(session, held);
    }
  }

  /** `from` undefined: nobody needs to be told what is stored. */
  #subscribe(session: Session, filter: string, qos: 0 | 1, from: number | undefined): void {
    let held = this.#held.get(filter);
    if (held === undefined) {
      held = { filter, order: ++this.#order, qos, acknowledged: false, leaving: 0 };
      this.#held.set(filter, held);
      this.#chosen.clear();
    }
    held.qos = qos;
    held.leaving = 0;
    const ask = (carried: 0 | 1, storing: boolean, sendStored: boolean) => {
      const identified = session.subscriptionIds;
      const id = identified ? ++this.#order : 0;
      if (identified) this.#identifiers.set(id, { held, storing, from: from ?? 0 });
      const packetId = session.nextPacketId();
      this.#asked.set(packetId, held);
      const retainAsPublished = identified && !storing;
      const subscription = { filter, qos: carried, noLocal: true, retainAsPublished, sendStored };
      session.send(subscribePacket(session.version, packetId, subscription, id));
    };
    if (!session.subscriptionIds) {
      ask(qos, true, from !== undefined);
      return;
    }
    // What is stored comes with QoS 0: then it is all on its way before the second subscription holds.
    if (from !== undefined) ask(0, true, true);
    ask(qos, false, false);
  }

  #unsubscribe(session: Session, held: Held): void {
    held.leaving = session.nextPacketId();
    this.#asked.set(held.leaving, held);
    session.send(unsubscribePacket(session.version, held.leaving, held.filter));
  }

  #drop(held: Held): void {
    this.#held.delete(held.filter);
    this.#chosen.clear();
    for (const [id, identifier] of this.#identifiers) if (identifier.held === held) this.#identifiers.delete(id);
  }

  #settle(): void {
    if (this.#ready || this.#session === undefined || this.#asked.size > 0) return;
    this.#ready = true;
    this.#options.ready();
  }
}
