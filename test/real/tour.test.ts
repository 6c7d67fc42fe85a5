import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Skull } from '../runtime/skull-process.ts';
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts';
import { Watcher } from '../support/watcher.ts';

const READY = /API +(http:\S+)\/status[\s\S]*MQTT +(mqtt:\S+)[\s\S]*ready in \d+ ms\n/;
const RETAINED = [
  ...['accueil', 'fullauto', 'gaze', 'ia', 'motion', 'services', 'song', 'vision'].map(
    (name) => `skull/config/${name}`,
  ),
  ...['jaw', 'pan', 'tilt'].map((name) => `motion/servo/${name}/limits`),
  'ai/config',
  'orchestrator/availability',
  'orchestrator/estop',
  'orchestrator/state',
  'orchestrator/status',
  'orchestrator/tasks',
  'skull/mode',
];

for (const broker of ['the embedded broker', 'mosquitto']) {
  describe(`a tour of the skull, on ${broker}`, function () {
    this.timeout(30_000);
    let home: string;
    let mosquitto: Mosquitto | undefined;
    let skull: Skull;
    let http: string;
    let watcher: Watcher;

    async function start(variables: Record<string, string> = {}): Promise<void> {
      skull = new Skull(['start'], {
        SKULL_HOME: home,
        PORT: '0',
        SIMULATOR: 'false',
        EDITOR: 'false',
        ...(mosquitto ? { MQTT_URL: mosquitto.url } : { MQTT_PORT: '0' }),
        ...variables,
      });
      const [, api = '', url = ''] = await skull.says(READY);
      http = api;
      watcher = await Watcher.on(url);
      await watcher.next('orchestrator/availability', 'online');
    }
    async function stop(): Promise<void> {
      skull.signal('SIGTERM');
      assert.equal((await skull.ended()).code, 0);
      await watcher.client.endAsync(true);
    }
    async function api(
      method: string,
      route: string,
      body?: unknown,
    ): Promise<{ status: number; body: Record<string, unknown> }> {
      const response = await fetch(http + route, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    }
    const mode = async (word: string) => assert.equal((await api('POST', '/mode', { state: word })).status, 200);
    const state = (word: string) => watcher.next('orchestrator/state', word);

    before(async function () {
      if (broker === 'mosquitto') {
        needsMosquitto(this);
        mosquitto = await Mosquitto.start();
      }
    });
    after(() => mosquitto?.end());
    beforeEach(async () => {
      home = mkdtempSync(path.join(tmpdir(), 'skull-tour-'));
      await start();
    });
    afterEach(async () => {
      await watcher.client.endAsync(true);
      await skull.kill();
      rmSync(home, { recursive: true, force: true });
      if (mosquitto) {
        await mosquitto.kill();
        await mosquitto.run();
      }
    });

    it('retains what it is and how it is set', async () => {
      const other = await Watcher.on(`mqtt://127.0.0.1:${watcher.client.options.port}`);
      for (const topic of RETAINED) {
        while (!other.seen.some((one) => one.topic === topic && one.retain)) await other.settled();
      }
      const words = Object.fromEntries(other.seen.map(({ topic, payload }) => [topic, payload]));
      assert.deepEqual(
        [words['orchestrator/state'], words['skull/mode'], words['orchestrator/estop']],
        ['Idle', 'Idle', 'off'],
      );
      assert.equal(JSON.parse(words['skull/config/vision'] ?? '').threshold, 0.5);
      await other.client.endAsync(true);
    });

    it('says in its retained status what happens while it stays idle', async () => {
      watcher.say('skull/mode', 'Accueil');
      await watcher.next('orchestrator/status', (status) => JSON.parse(status).mode === 'Accueil');
      watcher.say('motion/estop', 'on');
      await watcher.next('orchestrator/status', (status) => JSON.parse(status).estop === true);
      watcher.say('motion/estop', 'off');
      await watcher.next('orchestrator/status', (status) => JSON.parse(status).estop === false);
    });

    it('greets in mode Accueil', async () => {
      await mode('Accueil');
      await watcher.next('skull/mode', 'Accueil');
      watcher.say('vision/motion', { score: 0.9 });
      await state('Track');
      await state('Talk');
      const { id, lang } = await watcher.json('voice/say');
      assert.equal(lang, 'fr-FR');
      watcher.say('voice/state', { state: 'done', id });
      await state('Idle');
      const { body } = await api('GET', '/status');
      assert.deepEqual([body.mode, body.state, body.activity], ['Accueil', 'Idle', null]);
    });

    it('converses in mode IA, and by REST', async () => {
      watcher.say('skull/mode', 'IA');
      watcher.say('audio/vad', { active: true });
      await state('Listen');
      watcher.say('asr/text', 'bonjour');
      await state('Think');
      const request = await watcher.json('ai/request');
      assert.equal(request.text, 'bonjour');
      watcher.say('ai/response', { text: 'salut', id: request.id });
      await state('Speak');
      assert.equal((await watcher.json('voice/say')).text, 'salut');
      watcher.say('voice/state', 'done');
      await state('Idle');

      const reply = api('POST', '/ia/reply', { text: 'et toi' });
      watcher.say('ai/response', { text: 'bien', id: (await watcher.json('ai/request')).id });
      assert.deepEqual(await reply, { status: 200, body: { reply: 'bien' } });
    });

    it('stops at once, stays stopped over a restart, and starts again when released', async () => {
      await mode('IA');
      watcher.say('audio/vad', { active: true });
      await state('Listen');
      watcher.say('motion/estop', 'on');
      await watcher.next('motion/center');
      await watcher.next('orchestrator/estop', 'on');
      assert.deepEqual((await api('GET', '/status')).body.estop, true);
      assert.equal((await api('POST', '/ia/reply', { text: 'a' })).status, 409);
      watcher.say('audio/vad', { active: true });

      await stop();
      await start();
      const { body } = await api('GET', '/status');
      assert.deepEqual([body.estop, body.state, body.mode], [true, 'Idle', 'Idle']);

      assert.deepEqual((await api('POST', '/estop', { active: false })).body, { estop: false, state: 'Idle' });
      await watcher.next('motion/estop', 'off');
      await mode('IA');
      watcher.say('audio/vad', { active: true });
      await state('Listen');
      assert.deepEqual((await api('POST', '/estop')).body, { estop: true, state: 'Idle' });
      await watcher.next('motion/estop', 'on');
    });

    it('keeps configuration equal through each door, once', async () => {
      const file = path.join(home, 'config/vision.json');
      const topic = 'skull/config/vision';
      const stored = () => JSON.parse(readFileSync(file, 'utf8')).threshold;
      const heard = (threshold: number) => (payload: string) => JSON.parse(payload).threshold === threshold;
      const changed = (event: string) => event.includes('"kind":"config"') && event.includes('"cause":"mqtt"');
      await watcher.settled();
      watcher.seen.length = 0;

      assert.equal((await api('PATCH', '/config/vision', { threshold: 0.6 })).body.threshold, 0.6);
      await watcher.next(topic, heard(0.6));
      await api('GET', '/config');

      const before = (await api('GET', '/config/vision')).body;
      watcher.seen.length = 0;
      watcher.say(topic, { ...before, threshold: 0.7 }, true);
      await watcher.next('orchestrator/event', changed);
      assert.equal((await api('GET', '/config/vision')).body.threshold, 0.7);
      await watcher.settled();
      assert.deepEqual(
        watcher.seen.filter((one) => one.topic === topic).length,
        0,
        'a retained change is not said again',
      );

      watcher.say(topic, '{"threshold":7}', true);
      await watcher.next(topic, heard(7));
      await watcher.next(topic, heard(0.7));

      while (stored() !== 0.7) await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(file, JSON.stringify({ ...before, threshold: 0.8 }));
      await watcher.next(topic, heard(0.8));
      assert.equal((await api('GET', '/config/vision')).body.threshold, 0.8);
      await watcher.settled();
      assert.deepEqual(
        watcher.seen.filter((one) => one.topic === topic),
        [],
      );

      await stop();
      assert.equal(stored(), 0.8);
      await start();
      assert.equal((await api('GET', '/config/vision')).body.threshold, 0.8);
      assert.deepEqual(
        readdirSync(path.join(home, 'config')).filter((name) => name.includes('retained')),
        [],
      );
    });

    it('drops what does not fit, and says so', async () => {
      await mode('Accueil');
      for (const payload of [
        '',
        '{',
        '{"score":"1"}',
        `{"__proto__":{"score":1}}`,
        'x'.repeat(100_000),
        '['.repeat(50_000),
      ])
        watcher.say('vision/motion', payload);
      watcher.client.publish('vision/motion', Buffer.from([0xff, 0x00, 0xfe]));
      await watcher.settled();
      assert.equal((await api('GET', '/status')).body.state, 'Idle');
      watcher.say('vision/motion', { score: 1 });
      await state('Track');
      await stop();
      assert.match(
        readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8'),
        /dropped a payload on vision\/motion/,
      );
    });

    if (broker === 'mosquitto') {
      it('goes on without the broker, and says everything again when it is back', async () => {
        await mode('Accueil');
        watcher.say('vision/motion', { score: 0.9 });
        await state('Talk');
        watcher.seen.length = 0;
        await mosquitto?.kill();
        assert.equal((await api('POST', '/estop')).status, 200);
        assert.equal((await api('GET', '/health')).body.status, 'degraded');
        assert.equal((await api('POST', '/estop', { active: false })).status, 200);

        await mosquitto?.run();
        for (const topic of RETAINED) {
          while (!watcher.seen.some((one) => one.topic === topic)) {
            await new Promise((resolve) => watcher.client.once('message', resolve));
          }
        }
        await watcher.next('orchestrator/state', 'Idle');
        assert.equal((await api('GET', '/health')).body.status, 'healthy');
        watcher.say('motion/estop', 'on');
        await watcher.next('orchestrator/estop', 'on');
      });

      it('starts without a broker, and connects when there is one', async () => {
        await stop();
        await mosquitto?.kill();
        const alone = new Skull(['start'], {
          SKULL_HOME: home,
          PORT: '0',
          EDITOR: 'false',
          MQTT_URL: mosquitto?.url ?? '',
        });
        try {
          const [, address = ''] = await alone.says(/API +(http:\S+)\/status[\s\S]*ready in/);
          http = address;
          assert.equal((await api('GET', '/health')).body.status, 'degraded');
          await mosquitto?.run();
          const late = await Watcher.on(mosquitto?.url ?? '');
          await late.next('orchestrator/availability', 'online');
          await late.client.endAsync(true);
        } finally {
          await alone.kill();
        }
      });

      it('leaves its last will when it dies', async () => {
        await skull.kill();
        await watcher.next('orchestrator/availability', 'offline');
      });
    }
  });
}

describe('a tour of the skull, with the simulator', function () {
  this.timeout(30_000);

  it('greets and ends its greeting without a real service', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'skull-tour-'));
    const skull = new Skull(['start'], { SKULL_HOME: home, PORT: '0', MQTT_PORT: '0', EDITOR: 'false' });
    try {
      const [, http = '', url = ''] = await skull.says(READY);
      const watcher = await Watcher.on(url);
      await fetch(`${http}/mode`, {
        method: 'POST',
        body: '{"state":"Accueil"}',
        headers: { 'content-type': 'application/json' },
      });
      watcher.say('vision/motion', { score: 0.9 });
      for (const state of ['Track', 'Talk', 'Idle']) await watcher.next('orchestrator/state', state);
      await watcher.client.endAsync(true);
    } finally {
      await skull.kill();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
