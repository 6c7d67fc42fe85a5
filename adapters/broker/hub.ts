import type { Socket } from 'node:net';
import { Aedes, type AedesOptions, type AedesPublishPacket, type Client, type PublishPacket } from 'aedes';
import { PacedSocket } from './paced-socket.ts';
import { PacketMeter } from './packet-meter.ts';
import { writePublish } from './write-publish.ts';

type Done = (error?: Error) => void;
/** Aedes' typings leave out the client, which its own handlers pass. */
type Publish = (this: Aedes, packet: PublishPacket, client: Client | null, done: Done) => void;
const publishToClients = Aedes.prototype.publish as unknown as Publish;

const noop = () => {};

/** Somebody in this process who takes part without a socket. */
export interface Member {
  /** Never within a call of `Hub.send`. */
  receive(message: Published): void;
}

export interface Published {
  topic: string;
  payload: Buffer;
  retain: boolean;
}

interface Kept extends Published {
  from: Member | undefined;
}

/** What is kept of a client. */
interface Guest {
  /** The number of the last message that it got. */
  latest: number | undefined;
  /** Ends the connection of one that does not read. */
  weigh(): void;
}

export type Refusal = 'packet too large' | 'does not read';

export interface Limits {
  /** Bytes of the largest packet that is taken. */
  maxPacket: number;
  /** Bytes that may wait for a client that does not read. */
  maxUnsent: number;
  /** Called once, before the connection is ended. */
  refused(reason: Refusal): void;
}

/** How long messages among members are handed on before everybody else gets a turn. */
const SLICE_MS = 0.5;

/**
 * An Aedes broker with members in this process. A message from a client reaches them at once, before the next bytes of
 * any client are read; a message among members reaches them in a later turn, as over a network, and in order.
 */
export class Hub extends Aedes {
  declare readonly persistence: { storeRetained(packet: PublishPacket): Promise<void> };
  readonly #members = new Set<Member>();
  readonly #guests = new WeakMap<Client, Guest>();
  readonly #retained = new Map<string, Kept>();
  #mail: Kept[] = [];
  #delivering = false;

  constructor(options: Omit<AedesOptions, 'authorizeForward'>) {
    super({
      ...options,
      authorizeForward: (client, packet) => (this.#sent(client, packet) ? null : packet),
    });
  }

  /**
   * Lets a client in: what it sends is read in small turns, and what follows its CONNECT only once that is accepted, for
   * Aedes would take it out of order. An oversize packet or a client that never reads ends the connection.
   */
  admit(socket: Socket, { maxPacket, maxUnsent, refused }: Limits): void {
    let admitted = false;
    const meter = new PacketMeter(maxPacket);
    const refuse = (reason: Refusal) => {
      if (paced.destroyed) return;
      refused(reason);
      paced.destroy();
    };
    const paced = new PacedSocket(socket, (slice) => {
      const finished = meter.count(slice);
      if (finished === undefined) refuse('packet too large');
      return admitted || finished === 0 ? 'go' : 'hold';
    });
    const client = this.handle(paced);
    this.#guests.set(client, {
      latest: undefined,
      weigh: () => paced.writableLength > maxUnsent && refuse('does not read'),
    });
    // Aedes takes whatever is older than the last message for a copy, and QoS 1 lets itself be overtaken.
    Object.defineProperty(Reflect.get(client, 'duplicates'), this.id, { get: () => 0, set: noop });
    client.once('connected', () => {
      admitted = true;
      paced.release();
    });
  }

  join(member: Member): () => void {
    this.#members.add(member);
    return () => void this.#members.delete(member);
  }

  /** What is stored and was not published by the member itself. */
  *storedFor(member: Member): Iterable<Published> {
    for (const kept of this.#retained.values()) if (kept.from !== member) yield kept;
  }

  /** Every message of a client comes through here, and its last will. */
  override publish(packet: PublishPacket, client: Client | null | Done, done?: Done): void {
    const from = typeof client === 'function' ? null : client;
    const acknowledge = (typeof client === 'function' ? client : done) ?? noop;
    const { topic } = packet;
    if (topic.startsWith('$SYS/')) {
      publishToClients.call(this, packet, from, acknowledge);
      return;
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const message = { topic, payload, retain: packet.retain };
    this.#forward(packet, from, acknowledge, undefined);
    for (const member of this.#members) member.receive(message);
  }

  /** Publishes for a member. */
  send(member: Member, topic: string, text: string, qos: 0 | 1, retain: boolean): void {
    const payload = Buffer.from(text);
    this.#forward({ cmd: 'publish', topic, payload, qos, retain, dup: false }, null, noop, member);
    if (this.#members.size < 2) return;
    this.#mail.push({ topic, payload, retain, from: member });
    if (this.#delivering) return;
    this.#delivering = true;
    setImmediate(this.#deliver);
  }

  /**
   * What is to be stored is stored here and now. Aedes would do it a moment later, and messages published after it would
   * overtake it.
   */
  #forward(packet: PublishPacket, client: Client | null, done: Done, from: Member | undefined): void {
    if (!packet.retain) {
      publishToClients.call(this, packet, client, done);
      return;
    }
    const { topic } = packet;
    // A copy, or the packet would hold on to all the bytes that were read with it.
    const payload = Buffer.from(packet.payload);
    if (payload.length === 0) this.#retained.delete(topic);
    else this.#retained.set(topic, { topic, payload, retain: true, from });
    void this.persistence.storeRetained({ ...packet, payload });
    publishToClients.call(this, { ...packet, retain: false }, client, done);
  }

  /**
   * Writes a message of QoS 0 to a client at once. Aedes would take a turn of the event loop for each message and each
   * receiver, and wait for one that does not read. Who had the message just now, for another filter, gets no copy.
   */
  #sent(client: Client, { topic, payload, qos, retain, brokerCounter }: AedesPublishPacket): boolean {
    const guest = this.#guests.get(client);
    if (guest?.latest === brokerCounter) return true;
    if (guest) guest.latest = brokerCounter;
    guest?.weigh();
    if (qos !== 0 || !client.connected || client.conn.destroyed) return false;
    writePublish(client.conn, { topic, payload, retain }, 4);
    return true;
  }

  readonly #deliver = () => {
    const deadline = performance.now() + SLICE_MS;
    const mail = this.#mail;
    let next = 0;
    while (next < mail.length && (next === 0 || performance.now() < deadline)) {
      const message = mail[next++];
      if (message === undefined) continue;
      for (const member of this.#members) if (member !== message.from) member.receive(message);
    }
    mail.splice(0, next);
    this.#delivering = mail.length > 0;
    if (this.#delivering) setImmediate(this.#deliver);
  };
}
