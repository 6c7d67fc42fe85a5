import type { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../../core/model/errors.ts';
import type { BrokerLink, BrokerLinkOptions, Log } from '../../core/model/ports.ts';
import { EmbeddedLink } from './embedded-link.ts';
import { Hub } from './hub.ts';

const MAX_PACKET = 1024 * 1024;
const MAX_UNSENT = 4 * 1024 * 1024;
const MAX_CLIENTS = 200;
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;
/** Longest client id of MQTT 3.1; later versions know no limit. */
const MAX_CLIENT_ID = 256;
/** Packets that a client may send before its CONNECT is answered; one turn of reading holds fewer. */
const EARLY_PACKETS = 4096;
/** Lines in a minute about clients that were sent away: beyond them the log would hold nothing else. */
const MOST_LINES = 20;

export interface EmbeddedBrokerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  log: Log;
  /** Whether these credentials may come in; without it everybody may. */
  authenticate?: (username: string | undefined, password: Uint8Array | undefined) => boolean;
}

/** An MQTT 3.1.1 broker in this process. */
export interface EmbeddedBroker {
  readonly url: string;
  readonly port: number;
  /** Lets in the clients: until then their sockets are accepted and wait, so that no first message is lost. */
  open(): void;
  /** A link without a socket. The URL and credentials of the options do not matter. */
  link(options: BrokerLinkOptions): BrokerLink;
  /** Says `offline` for every link, lets the clients read it and ends, within two seconds. */
  close(): Promise<void>;
}

/** Resolves once it listens. Rejects with Node's error (`code` EADDRINUSE, …), whose message names host and port. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { host, port, log, authenticate } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true });
  server.maxConnections = MAX_CLIENTS;
  await listen(server, host, port);
  let [lines, minute] = [0, 0];
  const complain = (msg: string, client: string, reason: string) => {
    const now = Math.floor(performance.now() / 60_000);
    lines = now === minute ? lines + 1 : 1;
    minute = now;
    if (lines <= MOST_LINES) log.warn({ kind: 'mqtt', msg, client, reason });
  };
  const hub = new Hub({
    // 0: no message waits for another one's receivers.
    concurrency: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueLimit: EARLY_PACKETS,
    maxClientsIdLength: MAX_CLIENT_ID,
    ...(authenticate && {
      authenticate: ({ id }, username, password, done) => {
        const isKnown = authenticate(username, password);
        if (!isKnown) complain('a client was not let in', id, 'unknown user name or password');
        done(null, isKnown);
      },
    }),
  });
  await hub.listen();
  const events: EventEmitter = hub;
  events.on('error', (error) => log.error({ kind: 'mqtt', msg: 'the broker failed', error: messageOf(error) }));

  const admit = (socket: Socket) => {
    if (socket.destroyed) return;
    const { remoteAddress, remotePort } = socket;
    hub.admit(socket, {
      maxPacket: MAX_PACKET,
      maxUnsent: MAX_UNSENT,
      refused: (reason) => complain('a client was disconnected', `${remoteAddress}:${remotePort}`, reason),
    });
  };
  let opened = false;
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    if (opened) admit(socket);
  };
  server.on('connection', accept);

  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  const url = `mqtt://${host.includes(':') ? `[${host}]` : host}:${boundPort}`;
  const links = new Set<EmbeddedLink>();
  let closing: Promise<void> | undefined;
  const close = async () => {
    server.close();
    await Promise.all([...links].map((link) => link.close()));
    await endAll(sockets);
    await new Promise<void>((resolve) => hub.close(resolve));
  };
  return {
    url,
    port: boundPort,
    open: () => {
      if (opened) return;
      opened = true;
      for (const socket of sockets) admit(socket);
    },
    link: (linkOptions) => {
      const link = new EmbeddedLink(hub, url, linkOptions);
      links.add(link);
      return link;
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Ends every connection once its client has had a chance to read what waits for it. */
async function endAll(sockets: ReadonlySet<Socket>): Promise<void> {
  // What was published last is handed to the sockets within a few turns.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  const open = [...sockets];
  const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  const timeout = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, CLOSE_TIMEOUT_MS);
  for (const socket of open) socket.end();
  await Promise.all(closed);
  clearTimeout(timeout);
}
