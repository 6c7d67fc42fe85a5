import assert from 'node:assert/strict';
import { SERVICES } from '../../core/model/services.ts';
import { play } from './stage.ts';

describe('a simulated service', () => {
  it('beats from its start on', () => {
    for (const service of SERVICES) {
      const { clock, heard } = play({ heartbeatMs: 5000 });
      clock.advance(10_000);
      const beats = heard(`${service}/heartbeat`);
      assert.deepEqual(
        beats.map(({ at, payload }) => [at, Reflect.get(Object(payload), 'uptime_ms')]),
        [
          [0, 0],
          [5000, 5000],
          [10_000, 10_000],
        ],
        service,
      );
    }
  });

  it('is silent: neither beats, hears nor answers, and is heard again afterwards', () => {
    const { simulator, clock, send, heard } = play({ heartbeatMs: 5000 });
    const { voice } = simulator.services;
    send('voice/say', { id: 'a', text: 'x'.repeat(100) });
    voice.behave('silent');
    send('voice/say', { id: 'b', text: 'x'.repeat(1000) });
    clock.advance(12_000);
    const said = heard('voice/state');
    assert.deepEqual(
      said.map(({ payload }) => payload),
      [{ state: 'speaking', id: 'a' }],
    );
    voice.behave('normal');
    clock.advance(5000);
    assert.deepEqual(
      heard('voice/heartbeat').map(({ at, payload }) => [at, Reflect.get(Object(payload), 'uptime_ms')]),
      [[15_000, 15_000]],
    );
    clock.advance(120_000);
    assert.deepEqual(heard('voice/state'), []);
  });

  it('crashes in the middle of an utterance and starts anew', () => {
    const { simulator, clock, send, heard } = play({ heartbeatMs: 5000 });
    const { voice } = simulator.services;
    send('voice/say', { id: 'a', text: 'x'.repeat(100) });
    clock.advance(1000);
    heard();
    voice.behave('crashed');
    assert.equal(voice.report(), undefined);
    send('voice/say', { id: 'b', text: 'Bonjour' });
    clock.advance(60_000);
    assert.deepEqual(heard('voice/heartbeat'), []);
    voice.behave('normal');
    assert.deepEqual(
      heard('voice/heartbeat').map(({ payload }) => payload),
      [{ uptime_ms: 0, sounding: null, paused: [] }],
    );
    send('voice/say', { id: 'c', text: 'Bonjour' });
    clock.advance(60_000);
    assert.deepEqual(
      heard('voice/state').map(({ payload }) => payload),
      [
        { state: 'speaking', id: 'c' },
        { state: 'done', id: 'c' },
      ],
    );
  });

  it('crashes before it answers a request', () => {
    const { simulator, clock, send, heard } = play();
    send('ai/request', { id: 'a', text: 'Bonjour' });
    simulator.services.ai.behave('crashed');
    simulator.services.ai.behave('normal');
    clock.advance(60_000);
    assert.deepEqual(heard('ai/response'), []);
  });

  it('takes longer over its work, not over its heartbeat, when slow', () => {
    const { simulator, clock, send, heard } = play({ answerMs: 1000, heartbeatMs: 5000 });
    simulator.services.ai.behave('slow', 3);
    send('ai/request', { id: 'a', text: 'Bonjour' });
    clock.advance(2999);
    assert.deepEqual(heard('ai/response'), []);
    clock.advance(1);
    assert.equal(heard('ai/response').length, 1);
    clock.advance(12_000);
    assert.deepEqual(
      heard('ai/heartbeat').map(({ at }) => at),
      [5000, 10_000, 15_000],
    );
  });

  it('obeys orders by MQTT', () => {
    const { simulator, clock, send, heard } = play({ answerMs: 1000 });
    send('simulator/ai', { behaviour: 'slow', factor: 2 });
    send('ai/request', { id: 'a', text: 'Bonjour' });
    clock.advance(10_000);
    assert.deepEqual(
      heard('ai/response').map(({ at }) => at),
      [2000],
    );
    for (const behaviour of ['silent', 'crashed', 'normal']) {
      send('simulator/ai', { behaviour });
      assert.equal(simulator.services.ai.behaviour, behaviour);
    }
    assert.equal(simulator.services.voice.behaviour, 'normal');
  });

  it('says why it does not obey', () => {
    const { simulator, log, send } = play();
    for (const payload of ['crashed', '{"behaviour":"lazy"}', '{"behaviour":"slow","factor":0}', '[]']) {
      send('simulator/ai', payload);
    }
    send('simulator/heart', { behaviour: 'crashed' });
    assert.equal(simulator.services.ai.behaviour, 'normal');
    assert.deepEqual(
      log.entries.map(({ level }) => level),
      ['warn', 'warn', 'warn', 'warn'],
    );
  });

  it('falls silent for good when the simulator stops', async () => {
    const { simulator, clock, send, heard } = play({ ambient: true });
    send('voice/say', { id: 'a', text: 'Bonjour' });
    heard();
    await simulator.stop();
    send('simulator/voice', { behaviour: 'normal' });
    clock.advance(3_600_000);
    assert.equal(clock.pending, 0);
    assert.deepEqual(heard('voice/state', ...SERVICES.map((service) => `${service}/heartbeat`)), []);
  });
});
