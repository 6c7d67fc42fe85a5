/**
 * Argument: the broker's port. On `{flood: n}` from its parent it writes n events of the conversation as fast as the
 * socket takes them, on a bare MQTT 3.1.1 connection, and watches the states that come of them. It sends `'ready'` once
 * connected, `'running'` with the first state of a flood, and `{states, written}` when the e-stop's latch falls: how many
 * states came before it, and whether the whole flood had left this process.
 */
import { connect } from 'node:net';
import { eventAt, STATE } from '../support/client.ts';

const LATCH = 'orchestrator/estop';
const KEEP_ALIVE_S = 600;

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

/** Our packets are short: bodies of less than 128 bytes. */
const packet = (head: number, ...body: Buffer[]): Buffer => {
  const whole = Buffer.concat(body);
  return Buffer.concat([Buffer.from([head, whole.length]), whole]);
};

const hello = packet(0x10, text('MQTT'), Buffer.from([4, 2, KEEP_ALIVE_S >> 8, KEEP_ALIVE_S & 255]), text('flood'));
const subscribe = packet(0x82, Buffer.from([0, 1]), text(STATE), Buffer.from([0]), text(LATCH), Buffer.from([0]));

function floodOf(events: number): Buffer {
  const packets = Array.from({ length: 4 }, (_, n) => {
    const { topic, payload } = eventAt(n);
    return packet(0x30, text(topic), Buffer.from(payload));
  });
  return Buffer.concat(Array.from({ length: events }, (_, n) => packets[n % packets.length] ?? Buffer.of()));
}

/** Calls back with each whole packet's first byte and body. */
function reader(onPacket: (head: number, body: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const length = all[at + 1] ?? 255;
      // A body of 128 bytes or more is nothing that we have asked for.
      if (length > 127 || at + 2 + length > all.length) break;
      onPacket(all[at] ?? 0, all.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    rest = all.subarray(at);
  };
}

let states = 0;
let written = true;
let flooding = false;

const socket = connect(Number(process.argv[2]), '127.0.0.1', () => socket.write(hello));
socket.setNoDelay(true);
socket.on(
  'data',
  reader((head, body) => {
    const kind = head >> 4;
    if (kind === 2) socket.write(subscribe);
    else if (kind === 9) process.send?.('ready');
    // A retained message is from before.
    else if (kind === 3 && (head & 1) === 0) hear(body);
  }),
);
socket.on('error', () => process.exit(1));

function hear(body: Buffer): void {
  const end = 2 + body.readUInt16BE(0);
  const latch = body.toString('utf8', 2, end) === LATCH;
  if (!flooding) return;
  if (!latch) {
    if (states++ === 0) process.send?.('running');
  } else if (body.toString('utf8', end) === 'on') {
    flooding = false;
    process.send?.({ states, written });
  }
}

process.on('message', (order: { flood: number }) => {
  states = 0;
  flooding = true;
  written = false;
  socket.write(floodOf(order.flood), () => {
    written = true;
  });
});
