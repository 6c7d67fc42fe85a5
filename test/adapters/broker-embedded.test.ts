import assert from 'node:assert/strict';
import { once } from 'node:events';
import { generate } from 'mqtt-packet';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../adapters/broker/embedded.ts';
import { keepingLog } from '../support/ports.ts';
import { Ear, outside, overhear, rawSocket } from './broker-support.ts';

const publish = (topic: string, payload: string, retain = false) =>
  generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain });
const connectPacket = (clientId: string, password = '') =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId,
    clean: true,
    keepalive: 0,
    username: 'u',
    password: Buffer.from(password),
  });

describe('the embedded broker', () => {
  let broker: EmbeddedBroker;
  let log: ReturnType<typeof keepingLog>;
  const link = (name = 'skull') => broker.link({ url: '', clientId: name, log });

  beforeEach(async () => {
    log = keepingLog();
    broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, log });
  });

  afterEach(() => broker.close());

  it('gives each link the messages of the others, later and in order, and never its own', async () => {
    const skull = link();
    const simulator = link('simulator');
    const skullHears = new Ear(skull, ['#']);
    const simulatorHears = new Ear(simulator, ['voice/+']);
    simulator.subscribe(['voice/say'], () => simulator.publish('voice/state', 'speaking'));
    skull.publish('voice/say', 'one');
    skull.publish('voice/say', 'two', { retain: true });
    assert.deepEqual(simulatorHears.seen, []);
    await skullHears.until((seen) => seen.length === 2);
    assert.deepEqual(simulatorHears.seen, [
      { topic: 'voice/say', payload: 'one', stored: false, retain: false },
      { topic: 'voice/say', payload: 'two', stored: false, retain: true },
    ]);
    assert.deepEqual(skullHears.payloads, ['speaking', 'speaking']);
  });

  it('tells stored from live, and what was asked to be retained', async () => {
    broker.open();
    const client = await outside(broker.url);
    await client.publishAsync('skull/mode', 'IA', { retain: true, qos: 1 });
    await client.publishAsync('orchestrator/state', 'Talk', { retain: true, qos: 1 });
    await client.publishAsync('orchestrator/state', '', { retain: true, qos: 1 });
    const skull = link();
    skull.publish('skull/config/gaze', 'own', { retain: true });
    const ear = new Ear(skull, ['skull/#', 'skull/mode', 'orchestrator/#']);
    await ear.hears('IA');
    await client.publishAsync('skull/mode', 'Accueil', { retain: true });
    await client.publishAsync('skull/mode', 'Chanson');
    await ear.hears('Chanson');
    assert.deepEqual(ear.seen, [
      { topic: 'skull/mode', payload: 'IA', stored: true, retain: true },
      { topic: 'skull/mode', payload: 'Accueil', stored: false, retain: true },
      { topic: 'skull/mode', payload: 'Chanson', stored: false, retain: false },
    ]);
    const late = await outside(broker.url);
    const heard = await overhear(late, ['skull/#']);
    await heard.until('skull/config/gaze own');
    await Promise.all([client.endAsync(), late.endAsync()]);
  });

  it('lets no message in before it is opened, and loses none', async () => {
    const socket = await rawSocket(broker.port);
    socket.write(Buffer.concat([connectPacket('early'), ...[1, 2, 3].map((n) => publish('asr/text', `${n}`))]));
    await new Promise((resolve) => setImmediate(resolve));
    const ear = new Ear(link(), ['asr/text']);
    broker.open();
    await ear.hears('3');
    assert.deepEqual(ear.payloads, ['1', '2', '3']);
    socket.destroy();
  });

  it('keeps a retained message in its place among others', async () => {
    broker.open();
    const watching = await outside(broker.url);
    const heard = await overhear(watching, ['#']);
    const ear = new Ear(link(), ['#']);
    const socket = await rawSocket(broker.port);
    const packets = [publish('a', '1', true), publish('b', '2'), publish('a', '3', true), publish('b', '4')];
    socket.write(Buffer.concat([connectPacket('c'), ...packets]));
    await Promise.all([ear.hears('4'), heard.until('b 4')]);
    assert.deepEqual(ear.payloads, ['1', '2', '3', '4']);
    assert.deepEqual(heard.seen, ['a 1', 'b 2', 'a 3', 'b 4']);
    socket.destroy();
    await watching.endAsync();
  });

  it('loses none of 20,000, keeps their order, and hears another client in between', async () => {
    broker.open();
    const total = 20_000;
    const skull = link();
    const order: string[] = [];
    let stopAfter = -1;
    const all = new Promise<void>((resolve) => {
      skull.subscribe(['vision/motion'], ({ payload }) => {
        order.push(payload.toString());
        const until = performance.now() + 0.02;
        while (performance.now() < until);
        if (order.length === 200) stop.write(publish('motion/estop', 'on'));
        if (order.length === total) resolve();
      });
    });
    skull.subscribe(['motion/estop'], () => {
      stopAfter = order.length;
    });
    const stop = await rawSocket(broker.port);
    stop.write(connectPacket('stop'));
    await once(stop, 'data');
    const flood = await rawSocket(broker.port);
    const events = Array.from({ length: total }, (_, index) => publish('vision/motion', `${index}`));
    flood.write(Buffer.concat([connectPacket('flood'), ...events]));
    await all;
    assert.deepEqual(
      order,
      Array.from({ length: total }, (_, index) => `${index}`),
    );
    assert.ok(stopAfter > 0 && stopAfter < total / 4, `the stop came after ${stopAfter} of ${total}`);
    stop.destroy();
    flood.destroy();
  });

  it('drops a client that does not read, and keeps nobody waiting for it', async () => {
    broker.open();
    const skull = link();
    const ear = new Ear(skull, ['motion/estop']);
    const lazy = await rawSocket(broker.port);
    lazy.pause();
    lazy.write(
      Buffer.concat([
        connectPacket('lazy'),
        generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] }),
      ]),
    );
    const client = await outside(broker.url);
    await client.publishAsync('motion/estop', 'ready', { qos: 1 });
    await ear.hears('ready');
    const gone = once(lazy, 'close');
    const large = 'x'.repeat(100_000);
    for (let sent = 0; !log.entries.some((entry) => entry.reason === 'does not read'); sent++) {
      assert.ok(sent < 1000);
      skull.publish('orchestrator/event', large);
      client.publish('motion/estop', `${sent}`);
      client.publish('motion/estop', `${sent} again`);
      await ear.hears(`${sent} again`);
    }
    lazy.resume();
    await gone;
    await client.endAsync();
  });

  it('survives what is not MQTT, and refuses a packet that is too large', async () => {
    broker.open();
    const starts = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(5000, 0xff),
      Buffer.alloc(5000),
      publish('motion/estop', 'on'),
      Buffer.concat([connectPacket('a'), connectPacket('a')]),
      Buffer.concat([connectPacket('b'), Buffer.from([0x30, 0x03, 0x00, 0x09, 0x61])]),
      Buffer.concat([connectPacket('c'), Buffer.from([0x82, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00])]),
      Buffer.concat([connectPacket('d'), publish('__proto__', 'x'), publish('a/'.repeat(200), 'x')]),
      Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]),
      Buffer.concat([connectPacket('e'), Buffer.from([0x30, 0x80, 0x80, 0x80, 0x01]), Buffer.alloc(1000)]),
    ];
    const ear = new Ear(link(), ['#']);
    for (const bytes of starts) {
      const socket = await rawSocket(broker.port);
      const closed = once(socket, 'close');
      socket.resume();
      socket.end(bytes);
      await closed;
    }
    const client = await outside(broker.url);
    await client.publishAsync('asr/text', 'bonjour');
    await ear.hears('bonjour');
    assert.deepEqual(
      ear.seen.filter(({ topic }) => topic === 'motion/estop'),
      [],
    );
    assert.equal(log.entries.filter(({ reason }) => reason === 'packet too large').length, 3);
    await client.endAsync();
  });

  it('names the port that is taken', async () => {
    await assert.rejects(startEmbeddedBroker({ host: '127.0.0.1', port: broker.port, log }), {
      code: 'EADDRINUSE',
      message: new RegExp(`127\\.0\\.0\\.1:${broker.port}`),
    });
  });

  it('says offline to everybody when it ends', async () => {
    broker.open();
    const will = { topic: 'orchestrator/availability', online: 'online', offline: 'offline' };
    const skull = broker.link({ url: '', log, will });
    const client = await outside(broker.url);
    const heard = await overhear(client, ['orchestrator/#']);
    await heard.until('orchestrator/availability online');
    const states: boolean[] = [];
    skull.onConnection((connected) => states.push(connected));
    const ended = new Promise<void>((resolve) => client.once('close', () => resolve()));
    await broker.close();
    await ended;
    assert.deepEqual(heard.seen, ['orchestrator/availability online', 'orchestrator/availability offline']);
    assert.deepEqual(states, [true, false]);
    await client.endAsync(true);
  });

  it('ends a subscription, and lets no failing listener harm another', async () => {
    const skull = link();
    const other = link('other');
    skull.subscribe(['a'], () => {
      throw new Error('broken');
    });
    const first = new Ear(skull, ['a']);
    const second = new Ear(skull, ['a']);
    other.publish('a', '1');
    await second.hears('1');
    first.stop();
    other.publish('a', '2');
    await second.hears('2');
    assert.deepEqual(first.payloads, ['1']);
    assert.equal(log.entries[0]?.error, 'broken');
  });
});

describe('the embedded broker with credentials', () => {
  it('lets nothing of a client through before they are checked', async () => {
    const log = keepingLog();
    const broker = await startEmbeddedBroker({
      host: '127.0.0.1',
      port: 0,
      log,
      authenticate: (_username, password) => Buffer.from(password ?? []).toString() === 'right',
    });
    broker.open();
    const ear = new Ear(broker.link({ url: '', log }), ['#']);
    for (const together of [true, false]) {
      const socket = await rawSocket(broker.port);
      const closed = once(socket, 'close');
      socket.resume();
      if (together) socket.write(Buffer.concat([connectPacket('bad', 'wrong'), publish('motion/estop', 'off')]));
      else {
        socket.write(connectPacket('bad', 'wrong'));
        socket.write(publish('motion/estop', 'off'));
      }
      await closed;
    }
    const client = await outside(broker.url, { username: 'u', password: 'right' });
    await client.publishAsync('motion/estop', 'on');
    await ear.hears('on');
    assert.deepEqual(ear.payloads, ['on']);
    await client.endAsync();
    const told = () => log.entries.filter(({ level, client }) => level === 'warn' && client === 'bad');
    assert.deepEqual([told().length, told()[0]?.reason], [2, 'unknown user name or password']);
    for (let n = 0; n < 60; n++) {
      const socket = await rawSocket(broker.port);
      const closed = once(socket, 'close');
      socket.resume().write(connectPacket('bad', 'wrong'));
      await closed;
    }
    assert.ok(told().length < 45, 'who floods us does not flood the log');
    await broker.close();
  });
});
