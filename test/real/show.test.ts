import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PriorityStatus } from '../../core/skull/priorities.ts';
import { Skull } from '../runtime/skull-process.ts';
import { Mosquitto, needsMosquitto } from '../support/mosquitto.ts';
import { tones } from '../support/mp3.ts';
import { Watcher } from '../support/watcher.ts';

const READY = /API +(http:\S+)\/status[\s\S]*MQTT +(mqtt:\S+)[\s\S]*ready in \d+ ms\n/;
const JSON_TYPE = { 'content-type': 'application/json' };

/** A running orchestrator, and what is said on its broker. */
class Stage {
  readonly home = mkdtempSync(path.join(tmpdir(), 'skull-show-'));
  readonly #mosquitto: Mosquitto | undefined;
  skull: Skull | undefined;
  watcher: Watcher | undefined;
  #http = '';

  constructor(mosquitto?: Mosquitto) {
    this.#mosquitto = mosquitto;
  }

  async start(variables: Record<string, string> = {}): Promise<Watcher> {
    this.skull = new Skull(['start'], {
      SKULL_HOME: this.home,
      PORT: '0',
      SIMULATOR: 'false',
      EDITOR: 'false',
      ...(this.#mosquitto ? { MQTT_URL: this.#mosquitto.url } : { MQTT_PORT: '0' }),
      ...variables,
    });
    const [, http = '', url = ''] = await this.skull.says(READY);
    this.#http = http;
    this.watcher = await Watcher.on(url);
    await this.watcher.next('orchestrator/availability', 'online');
    return this.watcher;
  }

  /** Answers the body of what succeeded, and else the status. */
  async ask(method: string, route: string, body?: unknown) {
    const isForm = body instanceof FormData;
    const answer = await fetch(this.#http + route, {
      method,
      ...(body !== undefined && { body: isForm ? body : JSON.stringify(body), ...(!isForm && { headers: JSON_TYPE }) }),
    });
    return answer.ok ? await answer.json() : answer.status;
  }

  async upload(name: string): Promise<void> {
    const form = new FormData();
    form.append('file', new File([new Uint8Array(tones())], `${name}.mp3`));
    assert.equal((await this.ask('POST', '/song/upload', form)).name, name);
  }

  async stop(): Promise<void> {
    this.skull?.signal('SIGTERM');
    await this.skull?.ended();
    await this.watcher?.client.endAsync(true);
  }

  async end(): Promise<void> {
    await this.watcher?.client.endAsync(true);
    await this.skull?.kill();
    rmSync(this.home, { recursive: true, force: true });
  }
}

for (const broker of ['the embedded broker', 'mosquitto']) {
  for (const door of ['REST', 'MQTT']) {
    describe(`tasks and priorities, posted by ${door}, on ${broker}`, function () {
      this.timeout(30_000);
      let mosquitto: Mosquitto | undefined;
      let stage: Stage;
      let watcher: Watcher;

      before(async function () {
        if (broker !== 'mosquitto') return;
        needsMosquitto(this);
        mosquitto = await Mosquitto.start();
      });
      after(() => mosquitto?.end());
      beforeEach(async () => {
        stage = new Stage(mosquitto);
        watcher = await stage.start();
      });
      afterEach(async () => {
        await stage.end();
        await mosquitto?.kill();
        await mosquitto?.run();
      });

      const post = (name: string, priority: string, more: object = {}) => {
        const task = { name, priority, activity: 'say', args: { text: name }, ...more };
        return door === 'REST'
          ? stage.ask('POST', '/clone/orchestrator/tasks', task)
          : watcher.say('orchestrator/tasks/add', task);
      };
      const run = (word: 'start' | 'stop') =>
        door === 'REST'
          ? stage.ask('POST', `/clone/orchestrator/${word}`)
          : watcher.say('orchestrator/tasks/run', word);
      const said = async (text: string) => {
        const say = await watcher.json('voice/say', (payload) => JSON.parse(payload).text === text);
        return String(say.id);
      };
      const done = (id: string) => watcher.say('voice/state', { state: 'done', id });
      const status = (): Promise<PriorityStatus> => stage.ask('GET', '/clone/orchestrator/status');
      const until = async (isSo: (status: PriorityStatus) => boolean) => {
        while (!isSo(await status()));
      };

      it('a voice interrupts a chat, which goes on afterwards', async () => {
        await post('chat', 'MEDIUM');
        const chat = await said('chat');
        await post('voice', 'URGENT');
        assert.equal((await watcher.json('voice/pause')).id, chat);
        const voice = await said('voice');
        const { state, current_task, paused_tasks } = await status();
        assert.deepEqual([state.mode, current_task?.name, paused_tasks], ['busy', 'voice', 1]);
        done(voice);
        const resume = await watcher.json('voice/resume');
        assert.equal(resume.id, chat);
        assert.ok(Number(resume.offset_ms) > 0);
        done(chat);
        await until(({ state }) => state.mode === 'idle' && state.tasks_completed === 2);
      });

      it('tasks are done by their priorities', async () => {
        await run('stop');
        await until(({ state }) => state.mode === 'stopped');
        for (const name of ['LOW', 'MEDIUM', 'HIGH', 'BACKGROUND']) await post(name, name);
        await until(({ queue_size }) => queue_size === 4);
        await run('start');
        for (const name of ['HIGH', 'MEDIUM', 'LOW', 'BACKGROUND']) done(await said(name));
        await until(({ state, queue_size }) => state.tasks_completed === 4 && queue_size === 0);
      });

      it('what streams is waited for', async () => {
        await post('stream', 'LOW', { interruptible: false });
        const stream = await said('stream');
        await post('donation', 'URGENT');
        await until(({ queue_size }) => queue_size === 1);
        const { state, current_task } = await status();
        assert.deepEqual([state.mode, state.streaming, state.can_interrupt], ['streaming', true, false]);
        assert.equal(current_task?.name, 'stream');
        done(stream);
        done(await said('donation'));
        assert.equal(
          watcher.seen.some(({ topic }) => topic === 'voice/pause'),
          false,
        );
      });

      it('an emergency stop empties the queue, and nothing begins under it', async () => {
        await post('one', 'LOW');
        await post('two', 'LOW');
        await said('one');
        watcher.say('motion/estop', 'on');
        await until(({ queue_size, current_task }) => queue_size === 0 && current_task === null);
        await post('three', 'URGENT');
        await watcher.json('orchestrator/event', (event) => {
          const { subject, data } = JSON.parse(event);
          return subject === 'createTask' && data.status === 409;
        });
        watcher.say('motion/estop', 'off');
        // The emergency stop has a connection of its own: what is said after it may be heard before it.
        await watcher.next('orchestrator/estop', 'off');
        await post('four', 'LOW');
        const next = await watcher.json('voice/say');
        assert.equal(next.text, 'four');
      });
    });
  }
}

describe('a show', function () {
  this.timeout(60_000);
  let stage: Stage;
  beforeEach(() => {
    stage = new Stage();
  });
  afterEach(() => stage.end());

  it('a song is uploaded and sung with a moving jaw, makes room for an urgent word, and goes on where it was', async () => {
    const watcher = await stage.start();
    await stage.upload('tones');
    const { state, activity } = await stage.ask('POST', '/song/play', { song: 'tones' });
    assert.equal(state, 'Sing');
    const { id, path: file } = await watcher.json('voice/play');
    assert.equal(id, activity.id);
    assert.deepEqual(readFileSync(String(file)), tones());
    watcher.say('voice/state', { state: 'playing', id });
    const { open, t } = await watcher.json('motion/jaw', (frame) => JSON.parse(frame).open > 0.5);
    assert.ok(Number(open) <= 1 && Number(t) < 600);
    const next = await watcher.json('motion/jaw');
    assert.equal(Number(next.t) - Number(t), 40);

    const word = await stage.ask('POST', '/say', { text: 'Attention !', priority: 'URGENT' });
    assert.equal(word.activity.phase, 'running');
    const closed = await watcher.json('motion/jaw', (frame) => JSON.parse(frame).open === 0);
    assert.equal((await watcher.json('voice/pause')).id, id);
    assert.equal((await watcher.json('voice/say')).text, 'Attention !');
    watcher.seen.length = 0;
    watcher.say('voice/state', { state: 'done', id: word.activity.id });
    const { offset_ms } = await watcher.json('voice/resume');
    assert.equal(offset_ms, closed.t);
    const frame = await watcher.json('motion/jaw');
    assert.ok(Number(frame.t) >= Number(offset_ms));
    watcher.say('voice/state', { state: 'done', id });
    await watcher.next('orchestrator/state', 'Idle');
    assert.equal((await watcher.json('motion/jaw')).open, 0);
  });

  it('FullAuto runs song, Accueil and IA round and round, and its next time outlives a restart', async () => {
    const config = path.join(stage.home, 'config');
    mkdirSync(config, { recursive: true });
    mkdirSync(path.join(stage.home, 'songs'));
    writeFileSync(path.join(stage.home, 'songs/tones.mp3'), tones());
    const watcher = await stage.start();
    const fullauto = { interval_song_ms: 2000, accueil_step_ms: 5000, ia_step_ms: 5000 };
    await stage.ask('PATCH', '/fullauto/config', fullauto);
    await stage.ask('PATCH', '/config/vision', { cooldown_ms: 0 });
    await stage.ask('POST', '/mode', { state: 'FullAuto' });
    const done = async (topic: string) =>
      watcher.say('voice/state', { state: 'done', id: (await watcher.json(topic)).id });
    const isAt = async (step: string) => {
      while ((await stage.ask('GET', '/status')).fullauto.step !== step);
    };
    for (let round = 0; round < 2; round++) {
      await done('voice/play');
      await isAt('accueil');
      watcher.say('vision/motion', { score: 1 });
      await done('voice/say');
      await isAt('ia');
      watcher.say('audio/vad', { active: true });
      await watcher.json('asr/listen', (payload) => JSON.parse(payload).active);
      watcher.say('asr/text', 'bonjour');
      await watcher.json('ai/request');
      watcher.say('ai/response', 'salut');
      await done('voice/say');
    }
    const { id } = await watcher.json('voice/play');
    await stage.ask('PATCH', '/fullauto/config', { interval_song_ms: 3_600_000 });
    watcher.say('voice/state', { state: 'done', id });
    await isAt('accueil');
    const next = (await stage.ask('GET', '/status')).fullauto.next_song_at;
    assert.ok(Date.parse(next) > Date.now() + 3_000_000);

    await stage.stop();
    const after = await stage.start();
    await stage.ask('POST', '/mode', { state: 'FullAuto' });
    assert.equal((await stage.ask('GET', '/status')).fullauto.next_song_at, next);
    const { cycle_id, steps } = await stage.ask('POST', '/fullauto/test-once');
    assert.deepEqual(steps, ['song', 'accueil', 'ia']);
    assert.equal((await after.json('voice/play')).id, cycle_id);
    assert.equal(await stage.ask('POST', '/fullauto/test-once'), 409);
  });
});
