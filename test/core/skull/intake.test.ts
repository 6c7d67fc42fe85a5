import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Intake } from '../../../core/skull/intake.ts';
import { MODES, SIGNALS } from '../../../core/skull/topics.ts';
import { Supervisor } from '../../../core/supervision/supervisor.ts';
import { SimulatedClock } from '../../support/clock.ts';
import { keepingLog } from '../../support/ports.ts';
import { serviceSettings } from '../../support/supervision.ts';

function intake() {
  const clock = new SimulatedClock();
  const log = keepingLog();
  const settings = serviceSettings();
  const life = new Supervisor({ clock, log: keepingLog(), settings: () => settings });
  life.connected(true);
  life.start();
  const door = new Intake({ clock, log, life });
  const read = (topic: string, payload: string | Uint8Array, stored = false) =>
    door.read({ topic, payload: Buffer.from(payload as string), stored });
  return { clock, log, life, door, read };
}

describe('the intake of MQTT payloads', () => {
  const accepted: [string, string, unknown][] = [
    ['vision/motion', '{"score":0.5}', { score: 0.5 }],
    ['vision/motion', '{"score":1,"zone":"left"}', { score: 1, zone: 'left' }],
    ['vision/pose', '{"x":-1,"y":1}', { x: -1, y: 1 }],
    ['audio/vad', '{"active":true}', { active: true }],
    ['asr/text', 'bonjour', { text: 'bonjour', final: true }],
    ['asr/text', '42', { text: '42', final: true }],
    ['asr/text', '"bonjour"', { text: 'bonjour', final: true }],
    ['asr/text', '{"text":"bonj","final":false}', { text: 'bonj', final: false }],
    ['ai/response', 'salut toi', { text: 'salut toi' }],
    ['ai/response', '{"text":"salut","id":"7"}', { text: 'salut', id: '7' }],
    ['ai/response', '"Bonjour", dit-il.', { text: '"Bonjour", dit-il.' }],
    ['ai/response', '{"text":"ok","id":null}', { text: 'ok' }],
    ['asr/text', ' {"text":"bonjour"}\n', { text: 'bonjour', final: true }],
    ['skull/mode', ' IA\n', 'IA'],
    ['voice/state', 'done', { state: 'done' }],
    ['voice/state', '{"state":"idle","id":null}', { state: 'idle' }],
    ['voice/state', '"idle"', { state: 'idle' }],
    ['voice/state', '{"state":"speaking","id":"7"}', { state: 'speaking', id: '7' }],
    ['motion/estop', 'on', { active: true }],
    ['motion/estop', '"off"', { active: false }],
    ['motion/estop', '{"active":true}', { active: true }],
    ['skull/mode', 'Accueil', 'Accueil'],
    ['skull/mode', '"IA"', 'IA'],
    ['skull/mode', '{"state":"Chanson"}', 'Chanson'],
    ['skull/mode', '{"mode":"FullAuto"}', 'FullAuto'],
    ['my/own/topic', '{"a":1}', { a: 1 }],
    ['my/own/topic', 'plain', 'plain'],
  ];
  for (const [topic, payload, value] of accepted) {
    it(`reads ${topic} ${payload}`, () => assert.deepEqual(intake().read(topic, payload), value));
  }

  const refused: [string, string | Uint8Array][] = [
    ['vision/motion', ''],
    ['vision/motion', '0.9'],
    ['vision/motion', '{"score":1.01}'],
    ['vision/motion', '{"score":"1"}'],
    ['vision/motion', '{"score":NaN}'],
    ['vision/motion', 'null'],
    ['vision/motion', '[]'],
    ['vision/motion', '{"__proto__":{"score":1}}'],
    ['vision/pose', '{"x":0}'],
    ['audio/vad', 'true'],
    ['asr/text', ''],
    ['asr/text', '   '],
    ['asr/text', '{"text":'],
    ['asr/text', '{"text":""}'],
    ['asr/text', Uint8Array.of(0xff, 0xfe, 0x00)],
    ['ai/response', `"${'x'.repeat(10_001)}"`],
    ['voice/state', 'singing'],
    ['voice/state', '{"state":"done","id":7}'],
    ['motion/estop', 'maybe'],
    ['motion/estop', 'ON'],
    ['motion/estop', '{"active":"on"}'],
    ['skull/mode', 'Party'],
    ['skull/mode', '{"state":["IA"]}'],
    ['skull/mode', '{}'],
    ['vision/pose', 'x'.repeat(70_000)],
    ['vision/pose', '['.repeat(60_000)],
  ];
  for (const [topic, payload] of refused) {
    it(`drops ${topic} ${String(payload).slice(0, 40)}, counts and logs it`, () => {
      const { read, door, log } = intake();
      assert.equal(read(topic, payload), undefined);
      assert.equal(door.dropped.get(topic), 1);
      assert.equal(log.entries.length, 1);
      assert.match(log.entries[0]?.msg ?? '', new RegExp(`^dropped a payload on ${topic}: .`));
    });
  }

  it('survives anything, and lets nothing through that does not fit', () => {
    const topics = fc.constantFrom(...SIGNALS.keys());
    const json = fc.json().map((text) => Buffer.from(text));
    fc.assert(
      fc.property(topics, fc.oneof(json, fc.uint8Array()), (topic, payload) => {
        const value = intake().door.read({ topic, payload, stored: false });
        if (topic === 'skull/mode') assert.ok(value === undefined || MODES.some((mode) => mode === value));
        else assert.ok(value === undefined || (typeof value === 'object' && value !== null));
      }),
      { numRuns: 500 },
    );
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  it('logs once a minute per topic, with how many were dropped since', () => {
    const { read, log, clock, door } = intake();
    for (let i = 0; i < 5; i++) read('voice/state', 'x');
    read('skull/mode', 'x');
    assert.equal(log.entries.length, 2);
    clock.set(clock.now() - 31_536_000_000);
    clock.advance(60_000);
    read('voice/state', 'x');
    assert.equal(log.entries.length, 3);
    assert.equal(log.entries[2]?.count, 5);
    assert.equal(door.dropped.get('voice/state'), 6);
  });

  it('keeps its books small, whatever topics come', () => {
    const { door } = intake();
    for (let i = 0; i < 5000; i++) door.drop(`skull/config/${i}`, 'no such section');
    assert.ok(door.dropped.size <= 201);
    assert.equal(
      [...door.dropped.values()].reduce((sum, count) => sum + count),
      5000,
    );
  });

  it('takes a stored value for no signal, but for an emergency stop that is on', () => {
    const { read, life } = intake();
    assert.equal(read('vision/motion', '{"score":1}', true), undefined);
    assert.equal(read('skull/mode', 'IA', true), undefined);
    assert.equal(read('voice/heartbeat', 'x', true), undefined);
    assert.equal(read('motion/estop', 'off', true), undefined);
    assert.deepEqual(read('motion/estop', 'on', true), { active: true });
    assert.deepEqual(read('skull/config/gaze', '{"enabled":true}', true), { enabled: true });
    assert.equal(life.report().voice.state, 'unknown');
  });

  it('takes every message that a service publishes for a sign of life, even one that does not fit', () => {
    const { read, life, clock } = intake();
    read('vision/motion', 'nonsense');
    read('audio/vad', '{"active":true}');
    read('motion/heartbeat', Uint8Array.of(0xff));
    read('motion/estop', 'on');
    read('toaster/heartbeat', 'x');
    const alive = Object.entries(life.report()).filter(([, { alive }]) => alive);
    assert.deepEqual(alive.map(([service]) => service).sort(), ['audioin', 'motion', 'vision']);
    clock.advance(15_001);
    assert.equal(life.report().vision.state, 'silent');
  });
});
