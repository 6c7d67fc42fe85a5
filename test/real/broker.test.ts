import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { connectMqtt } from '../../adapters/broker/mqtt-link.ts';
import type { BrokerLink, Will } from '../../core/model/ports.ts';
import { Ear, outside, overhear, whenConnected } from '../adapters/broker-support.ts';
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts';
import { keepingLog } from '../support/ports.ts';

const WILL: Will = { topic: 'orchestrator/availability', online: 'online', offline: 'offline' };

describe('a link to mosquitto', () => {
  let mosquitto: Mosquitto;
  let log: ReturnType<typeof keepingLog>;
  const links: BrokerLink[] = [];
  const connect = (clientId?: string) => {
    const link = connectMqtt({ url: mosquitto.url, log, will: WILL, clientId });
    links.push(link);
    return link;
  };

  before(function () {
    needsMosquitto(this);
  });

  beforeEach(async () => {
    log = keepingLog();
    mosquitto = await Mosquitto.start();
  });

  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.close()));
    await mosquitto.end();
  });

  it('speaks MQTT 5', async () => {
    await whenConnected(connect());
    assert.deepEqual(log.entries, [
      { level: 'info', kind: 'mqtt', msg: 'connected to the broker', url: mosquitto.url, protocol: 'MQTT 5' },
    ]);
  });

  it('tells stored from live, and what was asked to be retained', async () => {
    const client = await outside(mosquitto.url);
    for (let index = 0; index < 50; index++) {
      await client.publishAsync(`skull/config/${index}`, 'old', { retain: true, qos: 1 });
    }
    const link = connect();
    const ear = new Ear(link, ['skull/config/+'], { qos: 1 });
    await ear.until((seen) => seen.length === 50);
    await client.publishAsync('skull/config/7', 'new', { retain: true });
    await client.publishAsync('skull/config/8', 'end');
    await ear.hears('end');
    assert.ok(ear.seen.slice(0, 50).every(({ stored, retain }) => stored && retain === true));
    assert.deepEqual(ear.seen.slice(50), [
      { topic: 'skull/config/7', payload: 'new', stored: false, retain: true },
      { topic: 'skull/config/8', payload: 'end', stored: false, retain: false },
    ]);
    await client.endAsync();
  });

  it('delivers once where filters overlap, and tells a newcomer alone what is stored', async () => {
    const client = await outside(mosquitto.url);
    await client.publishAsync('vision/motion', 'stored', { retain: true, qos: 1 });
    const link = connect();
    const narrow = new Ear(link, ['vision/motion', '+/motion', 'vision/+']);
    await narrow.hears('stored');
    await whenConnected(link);
    const wide = new Ear(link, ['vision/#']);
    await wide.hears('stored');
    await client.publishAsync('vision/motion', '1');
    await Promise.all([narrow.hears('1'), wide.hears('1')]);
    wide.stop();
    await client.publishAsync('vision/motion', '2', { retain: true });
    await narrow.hears('2');
    const again = new Ear(link, ['vision/motion']);
    await again.hears('2');
    await client.publishAsync('vision/motion', '3');
    await Promise.all([narrow.hears('3'), again.hears('3')]);
    assert.deepEqual(narrow.payloads, ['stored', '1', '2', '3']);
    assert.deepEqual(wide.payloads, ['stored', '1']);
    assert.deepEqual(
      again.seen.map(({ payload, stored }) => [payload, stored]),
      [
        ['2', true],
        ['3', false],
      ],
    );
    await client.endAsync();
  });

  it('hears for those who come while it connects', async () => {
    const client = await outside(mosquitto.url);
    for (let round = 0; round < 20; round++) {
      const link = connect();
      const ears: Ear[] = [];
      do {
        ears.push(new Ear(link, [`late/${round}/${ears.length}`]));
        await client.publishAsync('turn', 'over', { qos: 1 });
      } while (!link.connected);
      // Nothing is subscribed any more that could make good for them.
      while (ears.some(({ seen }) => seen.length === 0)) {
        for (const index of ears.keys()) client.publish(`late/${round}/${index}`, 'now');
        await client.publishAsync('turn', 'over', { qos: 1 });
      }
    }
    await client.endAsync();
  });

  it('loses nothing while subscriptions come and go', async () => {
    const client = await outside(mosquitto.url);
    const link = connect();
    const ear = new Ear(link, ['vision/motion']);
    await whenConnected(link);
    for (let index = 0; index < 2000; index++) {
      client.publish('vision/motion', `${index}`);
      if (index % 100 === 0) {
        const passing = new Ear(link, ['vision/#']);
        setImmediate(() => passing.stop());
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await ear.hears('1999');
    assert.deepEqual(
      ear.payloads,
      Array.from({ length: 2000 }, (_, index) => `${index}`),
    );
    await client.endAsync();
  });

  it('never hears itself, over no connection', async () => {
    const link = connect();
    const ear = new Ear(link, ['skull/#']);
    const express = new Ear(link, ['motion/estop'], { express: true });
    await whenConnected(link);
    const client = await outside(mosquitto.url);
    const heard = await overhear(client, ['#']);
    link.publish('skull/mode', 'IA', { retain: true });
    link.publish('motion/estop', 'on', { retain: true });
    link.publish('end', '1');
    await heard.until('end 1');
    const late = new Ear(link, ['skull/mode']);
    const lateExpress = new Ear(link, ['motion/+'], { express: true });
    await client.publishAsync('skull/mode', 'IA');
    await client.publishAsync('motion/estop', 'on');
    await client.publishAsync('motion/estop', 'off');
    await client.publishAsync('skull/mode', 'Idle');
    await Promise.all([ear.hears('Idle'), express.hears('off'), late.hears('Idle'), lateExpress.hears('off')]);
    assert.deepEqual(ear.payloads, ['IA', 'Idle']);
    assert.deepEqual(express.payloads, ['on', 'off']);
    assert.deepEqual(late.payloads, ['IA', 'Idle']);
    assert.deepEqual(lateExpress.payloads, ['on', 'off']);
    await client.endAsync();
  });

  it('publishes everything retained again when the broker comes back, in the first order', async () => {
    await mosquitto.kill();
    const link = connect();
    const ear = new Ear(link, ['asr/text']);
    const express = new Ear(link, ['motion/estop'], { express: true });
    link.publish('voice/say', 'too early');
    link.publish('b', '1', { retain: true });
    link.publish('a', '1', { retain: true });
    link.publish('gone', '1', { retain: true });
    for (const round of ['2', '3']) {
      if (round === '3') await mosquitto.kill();
      if (round === '3') await whenConnected(link, false);
      link.publish('b', round, { retain: true });
      link.publish('gone', '', { retain: true });
      link.publish('voice/say', 'too late');
      while (log.entries.at(-1)?.level !== 'warn') await new Promise((resolve) => setImmediate(resolve));
      await mosquitto.run();
      await whenConnected(link);
      const client = await outside(mosquitto.url);
      const heard = await overhear(client, ['#']);
      await heard.until('orchestrator/availability online');
      await client.publishAsync('asr/text', round);
      await client.publishAsync('motion/estop', round);
      await Promise.all([ear.hears(round), express.hears(round)]);
      const retained = heard.seen.slice(0, 3).sort();
      assert.deepEqual(retained, ['a 1', `b ${round}`, 'orchestrator/availability online']);
      assert.ok(!heard.seen.some((one) => one.startsWith('voice/say') || one.startsWith('gone')));
      await client.endAsync();
    }
    const told = log.entries.map(({ msg }) => msg);
    const lost = 'no connection to the broker, trying again';
    assert.deepEqual(told, [lost, 'connected to the broker', lost, 'connected to the broker']);
  });

  it('does not take for news what it published before an outage', async () => {
    const link = connect('me');
    const ear = new Ear(link, ['motion/estop']);
    await whenConnected(link);
    link.publish('motion/estop', 'on', { retain: true });
    const client = await outside(mosquitto.url);
    const heard = await overhear(client, ['motion/estop']);
    await heard.until('motion/estop on');
    // Whoever comes with our name takes our place: the broker goes on, our connection ends.
    const rival = await outside(mosquitto.url, { clientId: 'me', reconnectPeriod: 0 });
    await whenConnected(link, false);
    link.publish('motion/estop', 'off', { retain: true });
    await rival.endAsync();
    await heard.until('motion/estop off');
    await client.publishAsync('motion/estop', 'now');
    await ear.hears('now');
    assert.deepEqual(ear.payloads, ['now']);
    await client.endAsync();
  });

  it('says online when it is there, offline when it goes, and offline when it is killed', async () => {
    const client = await outside(mosquitto.url);
    const heard = await overhear(client, ['orchestrator/availability']);
    const link = connect();
    await heard.until('orchestrator/availability online');
    await link.close();
    await heard.until('orchestrator/availability offline');
    heard.seen.length = 0;
    const script = `
      import { connectMqtt } from '${new URL('../../adapters/broker/mqtt-link.ts', import.meta.url)}';
      const quiet = () => {};
      const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
      const link = connectMqtt({ url: '${mosquitto.url}', log, will: ${JSON.stringify(WILL)} });
      link.onConnection((connected) => connected && process.stdout.write('up\\n'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface(child.stdout), 'line');
    await heard.until('orchestrator/availability online');
    child.kill('SIGKILL');
    await heard.until('orchestrator/availability offline');
    await client.endAsync();
  });

  it('loses none of 20,000, keeps their order, and answers an e-stop in between', async () => {
    const total = 20_000;
    const link = connect();
    const order: number[] = [];
    let stopAfter = -1;
    const stopper = await outside(mosquitto.url);
    const all = new Promise<void>((resolve) => {
      link.subscribe(['vision/motion'], ({ payload }) => {
        order.push(Number(Buffer.from(payload).toString()));
        link.publish('orchestrator/event', `${order.length}`);
        const until = performance.now() + 0.03;
        while (performance.now() < until);
        if (order.length === 500) stopper.publish('motion/estop', 'on');
        if (order.length === total) resolve();
      });
    });
    const stopped = () => {
      stopAfter = order.length;
    };
    link.subscribe(['motion/estop'], stopped, { express: true });
    await whenConnected(link);
    const watcher = await outside(mosquitto.url);
    const heard = await overhear(watcher, ['orchestrator/event']);
    const client = await outside(mosquitto.url);
    for (let index = 0; index < total; index++) client.publish('vision/motion', `${index}`);
    await all;
    await heard.until(`orchestrator/event ${total}`);
    const numbers = Array.from({ length: total }, (_, index) => index);
    assert.deepEqual(order, numbers);
    assert.deepEqual(
      heard.seen,
      numbers.map((number) => `orchestrator/event ${number + 1}`),
    );
    assert.ok(stopAfter > 0 && stopAfter < total / 4, `the stop came after ${stopAfter} of ${total}`);
    await Promise.all([client.endAsync(), watcher.endAsync(), stopper.endAsync()]);
  });

  it('keeps the order when more of QoS 1 is published than the broker takes at once', async () => {
    const client = await outside(mosquitto.url);
    const heard = await overhear(client, ['t/#']);
    const link = connect();
    await whenConnected(link);
    for (let index = 0; index < 300; index++) link.publish(`t/${index}`, 'x', { qos: index % 3 === 0 ? 0 : 1 });
    await heard.until('t/299 x');
    assert.deepEqual(
      heard.seen,
      Array.from({ length: 300 }, (_, index) => `t/${index} x`),
    );
    await client.endAsync();
  });
});
