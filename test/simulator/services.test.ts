import assert from 'node:assert/strict';
import { play } from './stage.ts';

const state = (at: number, state: string, id: string) => ({ at, topic: 'voice/state', payload: { state, id } });

describe('the simulated voice', () => {
  it('speaks for a time that fits the text', () => {
    const { clock, send, heard } = play();
    send('voice/say', { id: 'a', text: 'x'.repeat(100), lang: 'fr-FR' });
    clock.advance(60_000);
    assert.deepEqual(heard(), [state(0, 'speaking', 'a'), state(6500, 'done', 'a')]);
    send('voice/say', { id: 'b', text: 'Oui', lang: 'fr-FR' });
    clock.advance(599);
    assert.deepEqual(heard(), [state(60_000, 'speaking', 'b')]);
    clock.advance(1);
    assert.deepEqual(heard(), [state(60_600, 'done', 'b')]);
  });

  it('plays a song, holds it over an utterance and plays its rest', () => {
    const { clock, send, heard } = play({ songMs: 10_000 });
    send('voice/play', { id: 'song', path: 'a.mp3', offset_ms: 1000, volume: 80, jaw_sync: true });
    clock.advance(4000);
    send('voice/pause', { id: 'song' });
    send('voice/say', { id: 'say', text: 'Bonjour' });
    clock.advance(60_000);
    assert.deepEqual(heard(), [
      state(0, 'playing', 'song'),
      state(4000, 'paused', 'song'),
      state(4000, 'speaking', 'say'),
      state(4600, 'done', 'say'),
    ]);
    send('voice/resume', { id: 'song', offset_ms: 5000 });
    clock.advance(60_000);
    assert.deepEqual(heard(), [state(64_000, 'playing', 'song'), state(69_000, 'done', 'song')]);
  });

  it('goes on where it was when the offset is left out', () => {
    const { clock, send, heard } = play({ songMs: 10_000 });
    send('voice/play', { id: 'song', path: 'a.mp3' });
    clock.advance(4000);
    send('voice/pause', { id: 'song' });
    clock.advance(1000);
    send('voice/resume', { id: 'song' });
    clock.advance(60_000);
    assert.deepEqual(heard().at(-1), state(11_000, 'done', 'song'));
  });

  it('stops what it is told to stop, and all without an id', () => {
    const { clock, send, heard } = play();
    send('voice/play', { id: 'song', path: 'a.mp3' });
    send('voice/pause', { id: 'song' });
    send('voice/say', { id: 'say', text: 'Bonjour' });
    heard();
    send('voice/stop', { id: 'other' });
    assert.deepEqual(heard(), []);
    send('voice/stop', {});
    clock.advance(60_000);
    assert.deepEqual(heard(), [state(0, 'idle', 'song'), state(0, 'idle', 'say')]);
  });

  it('lets a new sound take the place of the old one', () => {
    const { clock, send, heard } = play();
    send('voice/say', { id: 'a', text: 'Bonjour' });
    send('voice/say', { id: 'b', text: 'Bonsoir' });
    clock.advance(60_000);
    assert.deepEqual(heard(), [
      state(0, 'speaking', 'a'),
      state(0, 'idle', 'a'),
      state(0, 'speaking', 'b'),
      state(600, 'done', 'b'),
    ]);
  });

  it('passes over what is no command', () => {
    const { clock, send, heard } = play();
    for (const payload of ['', 'Bonjour', '[]', 'null', '{"id":1,"text":"x"}', '{"id":"a"}', '{"__proto__":{}}']) {
      for (const topic of ['voice/say', 'voice/play', 'voice/resume']) send(topic, payload);
    }
    clock.advance(60_000);
    assert.deepEqual(heard(), []);
  });
});

describe('the simulated motion', () => {
  const servosOf = ({ simulator }: ReturnType<typeof play>) => simulator.services.motion.report()?.servos;

  it('turns evenly, within the limits, and centres', () => {
    const scene = play();
    scene.send('motion/servo/pan/move', { angle: 30, duration_ms: 300 });
    scene.clock.advance(100);
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 10, tilt: 0 });
    scene.clock.advance(900);
    scene.send('motion/servo/tilt/move', { angle: 90, duration_ms: 0 });
    scene.send('motion/jaw', { open: 0.5, t: 0 });
    assert.deepEqual(servosOf(scene), { jaw: 20, pan: 30, tilt: 20 });
    scene.send('motion/servo/tilt/limits', { min: -5, max: 5, center: 1 }, true);
    assert.deepEqual(servosOf(scene), { jaw: 20, pan: 30, tilt: 5 });
    scene.send('motion/center', {});
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 0, tilt: 1 });
  });

  it('follows a face over the whole way of pan and tilt', () => {
    const scene = play();
    scene.send('motion/track', { active: true, x: -1, y: 0.5 });
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: -60, tilt: 10 });
    scene.send('motion/track', { active: false });
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: -60, tilt: 10 });
  });

  it('holds under e-stop, but centres and closes the jaw', () => {
    const scene = play();
    scene.send('motion/servo/pan/move', { angle: 30, duration_ms: 300 });
    scene.clock.advance(100);
    scene.send('motion/estop', 'on', true);
    scene.clock.advance(1000);
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 10, tilt: 0 });
    scene.send('motion/servo/pan/move', { angle: 30 });
    scene.send('motion/jaw', { open: 1, t: 0 });
    scene.send('motion/track', { active: true, x: 1, y: 1 });
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 10, tilt: 0 });
    scene.send('motion/center', {});
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 0, tilt: 0 });
    scene.send('motion/estop', { active: false });
    scene.send('motion/servo/pan/move', { angle: 30 });
    assert.deepEqual(servosOf(scene), { jaw: 0, pan: 30, tilt: 0 });
  });

  it('knows of a retained e-stop when it starts again', () => {
    const scene = play();
    scene.send('motion/estop', 'on', true);
    scene.simulator.services.motion.behave('crashed');
    scene.simulator.services.motion.behave('normal');
    assert.equal(scene.simulator.services.motion.report()?.estop, true);
  });
});

describe('the simulated eyes, ears and wits', () => {
  it('tell where the face is while the skull tracks', () => {
    const { clock, send, heard } = play({}, [1, 0.25]);
    send('motion/track', { active: true, x: 0, y: 0 });
    clock.advance(400);
    send('motion/track', { active: false });
    clock.advance(1000);
    assert.deepEqual(heard(), [
      { at: 200, topic: 'vision/pose', payload: { x: 0.15, y: -0.07 } },
      { at: 400, topic: 'vision/pose', payload: { x: 0.3, y: -0.15 } },
    ]);
  });

  it('see and hear nothing by themselves unless ambient', () => {
    const { clock, send, heard } = play();
    send('skull/mode', 'IA', true);
    send('orchestrator/state', 'Idle', true);
    clock.advance(3_600_000);
    assert.deepEqual(heard(), []);
  });

  it('see somebody pass now and then', () => {
    const { clock, heard } = play({ ambient: true, motionMs: [1000, 3000] }, [0.5]);
    clock.advance(4000);
    assert.deepEqual(heard(), [
      { at: 2000, topic: 'vision/motion', payload: { score: 0.6 } },
      { at: 4000, topic: 'vision/motion', payload: { score: 0.6 } },
    ]);
  });

  it('hear a visitor while the skull converses and is free', () => {
    const { clock, send, heard } = play({ ambient: true, motionMs: [1e9, 1e9], speechMs: [2000, 2000] });
    clock.advance(10_000);
    assert.deepEqual(heard(), []);
    send('skull/mode', 'IA', true);
    send('orchestrator/state', 'Speak', true);
    clock.advance(10_000);
    assert.deepEqual(heard(), []);
    send('orchestrator/state', 'Idle', true);
    clock.advance(3900);
    assert.deepEqual(heard(), [
      { at: 22_000, topic: 'audio/vad', payload: { active: true } },
      { at: 23_500, topic: 'audio/vad', payload: { active: false } },
    ]);
  });

  it('understand a sentence while they listen', () => {
    const { clock, send, heard } = play({ hearMs: 2000 });
    send('asr/listen', { active: true });
    clock.advance(1000);
    send('asr/listen', { active: false });
    clock.advance(10_000);
    assert.deepEqual(heard(), []);
    send('asr/listen', { active: true });
    clock.advance(10_000);
    const said = heard();
    assert.deepEqual(said, [
      { at: 13_000, topic: 'asr/text', payload: { text: 'Bonjour, tu t’appelles comment ?', final: true } },
    ]);
  });

  it('answer each request with its id', () => {
    const { clock, send, heard } = play({ answerMs: 1000 });
    send('ai/request', { id: 'a', text: 'Bonjour', prompt_system: '' });
    clock.advance(500);
    send('ai/request', { id: 'b', text: 'Ça va ?', prompt_system: '' });
    clock.advance(5000);
    const ids = heard('ai/response').map(({ at, payload }) => [at, Reflect.get(Object(payload), 'id')]);
    assert.deepEqual(ids, [
      [1000, 'a'],
      [1500, 'b'],
    ]);
  });
});
