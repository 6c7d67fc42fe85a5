import assert from 'node:assert/strict';
import { Character } from '../../../core/skull/character.ts';
import { DEFAULTS } from '../../../core/skull/config/sections.ts';
import { Statechart } from '../../../core/statechart/statechart.ts';
import { MemoryFolder } from '../../support/folder.ts';
import { RecordingLink } from '../../support/link.ts';
import { countingRandom, keepingLog, memoryEvents, TestMeter } from '../../support/ports.ts';
import { skull, skullDefinition } from '../../support/skull.ts';
import { MemorySongs } from '../../support/songs.ts';

function alive() {
  const body = skull();
  const log = keepingLog();
  const link = new RecordingLink();
  const folder = new MemoryFolder();
  const character = new Character(
    {
      clock: body.clock,
      random: countingRandom(),
      log,
      version: '1.2.3',
      home: '/home/skull',
      connect: () => link,
      documents: () => folder,
      songs: new MemorySongs(),
      services: undefined,
      events: memoryEvents(),
      metrics: undefined,
      meter: () => new TestMeter(),
      stopping: new AbortController().signal,
    },
    link,
  );
  let told: string[] = [];
  character.events.onEvent(({ kind, subject, cause, data }) => {
    told.push(`${kind} ${subject} ${cause} ${JSON.stringify(data)}`);
  });
  character.arbitrate(body.lane);
  const end = character.embody(body.chart);
  return {
    ...body,
    character,
    folder,
    log,
    end,
    /** The events that the last messages made. */
    events: async () => {
      await new Promise(setImmediate);
      const since = told;
      told = [];
      return since;
    },
  };
}

describe('what the character tells of its life', () => {
  it('a change of mode, though the state stays', async () => {
    const { send, events, log } = alive();
    send('skull/mode', 'IA');
    const data = { from: 'Idle', to: 'Idle', mode: 'IA', mode_before: 'Idle' };
    assert.deepEqual(await events(), [`transition skull skull/mode ${JSON.stringify(data)}`]);
    const msg = 'skull: skull/mode';
    const line = { level: 'info', kind: 'transition', msg, subject: 'skull', cause: 'skull/mode', ...data };
    assert.deepEqual(log.entries.at(-1), line);
    send('skull/mode', 'IA');
    assert.deepEqual(await events(), []);
  });

  it('each press of the e-stop and its release, though the state stays', async () => {
    const { send, events } = alive();
    for (const active of [true, true, false, false]) send('motion/estop', { active });
    assert.deepEqual(
      await events(),
      [true, true, false].map(
        (estop) => `transition skull motion/estop ${JSON.stringify({ from: 'Idle', to: 'Idle', mode: 'Idle', estop })}`,
      ),
    );
  });

  it('an e-stop that was on before the boot', async () => {
    const { end, character, events, clock } = alive();
    const { definition } = skullDefinition();
    assert.ok(definition);
    const options = { clock, random: countingRandom(), config: () => ({ ...DEFAULTS }), restored: { estop: true } };
    const body = new Statechart(definition, options);
    end();
    character.embody(body);
    body.start();
    const data = { from: '', to: 'Idle', mode: 'Idle', estop: true };
    assert.deepEqual(await events(), [`transition skull boot ${JSON.stringify(data)}`]);
    body.stop();
  });

  it('no stimulus and no pose', async () => {
    const { send, events, clock } = alive();
    for (let i = 0; i < 3; i++) send('vision/motion', { score: 0.9 });
    send('skull/mode', 'Accueil');
    clock.advance(60_000);
    send('vision/motion', { score: 0.9 });
    await events();
    for (let i = 0; i < 3; i++) send('vision/pose', { x: 0.5, y: 0 });
    assert.deepEqual(await events(), []);
  });

  it('a song from its start to its end, with its pauses', async () => {
    const { send, lane, events } = alive();
    const { id } = lane.claim({ kind: 'sing', priority: 'HIGH', args: { song: 's', path: 'p' }, cause: 'rest' });
    send('song/pause');
    send('song/resume');
    lane.cancel({ id });
    const phase = (cause: string, data: object) => `activity sing ${cause} ${JSON.stringify(data)}`;
    const moved = (cause: string, data: object) => `transition skull ${cause} ${JSON.stringify(data)}`;
    const still = { from: 'Sing', to: 'Sing', mode: 'Idle' };
    const whole = { id, name: 'sing', priority: 'HIGH' };
    assert.deepEqual(await events(), [
      moved('activity/start', { from: 'Idle', to: 'Sing', mode: 'Idle' }),
      phase('rest', { ...whole, phase: 'started' }),
      moved('song/pause', { ...still, paused: true }),
      phase('song/pause', { id, priority: 'HIGH', phase: 'paused' }),
      moved('song/resume', { ...still, paused: false }),
      phase('song/resume', { id, priority: 'HIGH', phase: 'resumed' }),
      moved('activity/cancel', { ...still, to: 'Idle' }),
      phase('rest', { ...whole, phase: 'ended', outcome: 'cancelled' }),
    ]);
  });

  it('an activity that goes on through several states once, and one that makes room for another', async () => {
    const { send, lane, events, clock } = alive();
    send('skull/mode', 'Accueil');
    clock.advance(60_000);
    send('vision/motion', { score: 0.9 });
    clock.advance(800);
    lane.claim({ kind: 'say', priority: 'HIGH', args: { text: 'a' } });
    lane.claim({ kind: 'say', priority: 'HIGH', args: { text: 'b' } });
    await Promise.resolve();
    for (let n = 0; n < 3; n++) send('voice/state', { state: 'done' });
    const phases = (await events()).filter((event) => event.startsWith('activity'));
    assert.deepEqual(
      phases.map((event) => event.replace(/\{.*"phase":/, '').replaceAll(/["}]/g, '')),
      [
        'activity greet vision/motion started',
        'activity greet vision/motion paused',
        'activity say claim started',
        'activity say claim waiting',
        'activity say claim ended,outcome:completed',
        'activity say claim started',
        'activity say claim ended,outcome:completed',
        'activity greet vision/motion resumed',
        'activity greet vision/motion ended,outcome:completed',
      ],
    );
  });

  it('a service that is heard, and that falls silent', async () => {
    const { character, events, clock } = alive();
    character.life.seen('voice');
    character.life.seen('voice');
    assert.deepEqual(await events(), ['service voice heartbeat {"state":"alive"}']);
    clock.advance(60_000);
    assert.deepEqual(await events(), ['service voice silence {"state":"silent"}']);
  });

  it('nothing of a body that was taken back', async () => {
    const { send, events, end } = alive();
    end();
    send('skull/mode', 'IA');
    assert.deepEqual(await events(), []);
  });

  it('what is wrong with its configuration and with its body', async () => {
    const { character, chart, folder, end: endFirst } = alive();
    folder.edit('gaze', '{');
    endFirst();
    const end = character.embody(chart, () => ['a bad memory']);
    assert.equal(character.problems().length, 2);
    assert.equal(character.problems()[1], 'a bad memory');
    end();
    assert.equal(character.problems().length, 1);
  });

  it('one statechart and one lane only', () => {
    const { character, chart, lane } = alive();
    assert.throws(() => character.embody(chart), { code: 'conflict' });
    assert.throws(() => character.arbitrate(lane), { code: 'conflict' });
  });

  it('nothing that would sing on when it retires', () => {
    const { character, lane, told } = alive();
    const { id } = lane.claim({ kind: 'sing', priority: 'LOW', args: { song: 's', path: 'p', duration_ms: 1000 } });
    lane.claim({ kind: 'say', priority: 'LOW', args: { text: 'a' } });
    told();
    character.retire();
    assert.deepEqual(told(), ['motion/jaw {"open":0,"t":0}', `voice/stop {"id":"${id}"}`]);
    assert.equal(lane.waitingCount, 0);
  });
});
