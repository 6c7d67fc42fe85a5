import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../adapters/broker/embedded.ts';
import { connectMqtt } from '../../adapters/broker/mqtt-link.ts';
import { SkullError } from '../../core/model/errors.ts';
import type { BrokerLink, LogEntry } from '../../core/model/ports.ts';
import { keepingLog } from '../support/ports.ts';
import { Ear, outside, overhear, whenConnected } from './broker-support.ts';

describe('a link to a broker that speaks MQTT 3.1.1 only', () => {
  let broker: EmbeddedBroker;
  let log: ReturnType<typeof keepingLog>;
  let link: BrokerLink;

  beforeEach(async () => {
    log = keepingLog();
    broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, log });
    broker.open();
    const will = { topic: 'orchestrator/availability', online: 'online', offline: 'offline' };
    link = connectMqtt({ url: broker.url, log, will });
  });

  afterEach(async () => {
    await link.close();
    await broker.close();
  });

  it('falls back, without a complaint', async () => {
    await whenConnected(link);
    assert.deepEqual(log.entries, [
      { level: 'info', kind: 'mqtt', msg: 'connected to the broker', url: broker.url, protocol: 'MQTT 3.1.1' },
    ]);
  });

  for (const express of [false, true]) {
    it(`swallows its own echoes and nothing else${express ? ', on the express connection too' : ''}`, async () => {
      const ear = new Ear(link, ['skull/#'], { express });
      await whenConnected(link);
      const client = await outside(broker.url);
      const heard = await overhear(client, ['skull/#']);
      link.publish('skull/mode', 'IA');
      link.publish('skull/mode', 'Idle', { retain: true });
      await heard.until('skull/mode Idle');
      await client.publishAsync('skull/mode', 'IA');
      await client.publishAsync('skull/mode', 'Idle', { retain: true });
      await client.publishAsync('skull/mode', 'end');
      await ear.hears('end');
      assert.deepEqual(ear.payloads, ['IA', 'Idle', 'end']);
      await client.endAsync();
    });
  }

  it('tells stored from live', async () => {
    const client = await outside(broker.url);
    await client.publishAsync('skull/mode', 'before', { retain: true, qos: 1 });
    const ear = new Ear(link, ['skull/mode', 'skull/#']);
    await ear.hears('before');
    await client.publishAsync('skull/mode', 'after', { retain: true, qos: 1 });
    await ear.hears('after');
    const second = new Ear(link, ['skull/+']);
    await second.hears('after');
    assert.deepEqual(ear.seen, [
      { topic: 'skull/mode', payload: 'before', stored: true, retain: undefined },
      { topic: 'skull/mode', payload: 'after', stored: false, retain: undefined },
    ]);
    assert.deepEqual(second.seen, [{ topic: 'skull/mode', payload: 'after', stored: true, retain: undefined }]);
    await client.endAsync();
  });
});

describe('a link', () => {
  it('counts what comes in and goes out, and not its own echoes', async () => {
    const log = keepingLog();
    const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, log });
    broker.open();
    const embedded = broker.link({ url: broker.url, log });
    const link = connectMqtt({ url: broker.url, log });
    const ears = [new Ear(link, ['skull/#']), new Ear(link, ['skull/+'])];
    const own = new Ear(embedded, ['skull/#']);
    await whenConnected(link);
    link.publish('skull/mode', 'mine');
    await own.hears('mine');
    embedded.publish('skull/mode', 'yours', { retain: true });
    embedded.publish('elsewhere', 'unheard');
    for (const ear of ears) await ear.hears('yours');
    assert.deepEqual(link.traffic, { in: 1, out: 1, dropped: 0 });
    assert.deepEqual(embedded.traffic, { in: 1, out: 2, dropped: 0 });
    await Promise.all([link.close(), embedded.close()]);
    await broker.close();
  });
});

describe('a link to a broker that is not there', () => {
  it('keeps trying, and complains once, without credentials', async () => {
    const log = keepingLog();
    let attempts = 0;
    let enough = () => {};
    const server = createServer((socket) => {
      socket.destroy();
      if (++attempts === 4) enough();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const link = connectMqtt({ url: `mqtt://me:secret@127.0.0.1:${port}`, log });
    assert.equal(link.url, `mqtt://127.0.0.1:${port}`);
    link.publish('voice/say', 'lost');
    await new Promise<void>((resolve) => {
      enough = resolve;
    });
    await link.close();
    server.close();
    assert.equal(link.connected, false);
    assert.deepEqual(
      log.entries.map(({ level, kind, msg, url }) => ({ level, kind, msg, url })),
      [{ level: 'warn', kind: 'mqtt', msg: 'no connection to the broker, trying again', url: link.url }],
    );
    assert.doesNotMatch(JSON.stringify(log.entries), /secret/);
  });

  it('says why the broker refuses', async () => {
    const log = keepingLog();
    const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, log, authenticate: () => false });
    broker.open();
    const closings: (() => Promise<void>)[] = [];
    const complained = new Promise<LogEntry>((resolve) => {
      const link = connectMqtt({ url: broker.url, username: 'me', password: 'secret', log: { ...log, warn: resolve } });
      closings.push(() => link.close());
    });
    assert.equal((await complained).reason, 'Connection refused: Not authorized');
    await Promise.all(closings.map((close) => close()));
    await broker.close();
  });

  it('refuses a URL that is none, without showing its credentials', () => {
    for (const url of ['nonsense', 'http://me:secret@host', 'mqtt://', '']) {
      assert.throws(
        () => connectMqtt({ url, log: keepingLog() }),
        (error: Error) => {
          assert.ok(error instanceof SkullError);
          assert.equal(error.code, 'invalid');
          return !error.message.includes('secret');
        },
      );
    }
  });
});
