import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Priority } from '../../core/model/priority.ts';
import type { Claim } from '../../core/scheduler/activity.ts';
import { activityOf } from '../../core/skull/chronicle.ts';
import { MODES } from '../../core/skull/topics.ts';
import { skull } from '../support/skull.ts';

const sing = (priority: Priority = 'HIGH', duration_ms: number | null = 60_000): Claim => ({
  kind: 'sing',
  priority,
  args: { song: 'a', path: '/songs/a.mp3', duration_ms },
});
const say = (text: string, priority: Priority = 'URGENT'): Claim => ({ kind: 'say', priority, args: { text } });

type Skull = ReturnType<typeof skull>;
const idOf = ({ chart }: Skull) => activityOf(chart.context)?.id;
const done = (body: Skull) => body.send('voice/state', { state: 'done', id: idOf(body) });

describe('one body, many claims', () => {
  it('pauses a song for an urgent word, and goes on where it was', () => {
    const body = skull();
    const { lane, clock, told, states } = body;
    const song = lane.claim(sing());
    clock.advance(12_000);
    told();
    const word = lane.claim(say('Attention !'));
    assert.deepEqual(told(), [
      'motion/jaw {"open":0,"t":12000}',
      `voice/pause {"id":"${song.id}"}`,
      `voice/say {"id":"${word.id}","text":"Attention !","lang":"fr-FR"}`,
    ]);
    clock.advance(3000);
    done(body);
    assert.deepEqual(told(), [`voice/resume {"id":"${song.id}","offset_ms":12000}`]);
    assert.deepEqual(states, ['Idle', 'Sing', 'Speak', 'Idle', 'Sing']);
    clock.advance(1000);
    lane.claim(say('Encore !'));
    done(body);
    assert.ok(told().includes(`voice/resume {"id":"${song.id}","offset_ms":13000}`));
    done(body);
    assert.deepEqual(body.outcomes, ['say completed', 'say completed', 'sing completed']);
    assert.deepEqual(body.errors, []);
  });

  it('lets a conversation take the place of a song, in mode IA', () => {
    const body = skull();
    body.send('skull/mode', 'IA');
    body.lane.claim(sing());
    body.send('audio/vad', { active: true });
    assert.equal(body.chart.state, 'Listen');
    body.send('asr/text', { text: 'bonjour', final: true });
    body.send('ai/response', { text: 'salut' });
    done(body);
    assert.deepEqual(body.states, ['Idle', 'Sing', 'Listen', 'Think', 'Speak', 'Idle', 'Sing']);
  });

  it('does not let a voice end a song in another mode', () => {
    const body = skull();
    body.send('skull/mode', 'Chanson');
    body.lane.claim(sing());
    assert.equal(body.send('audio/vad', { active: true }).handled, false);
  });

  it('stacks what is paused: a greeting and a song, each goes on in its turn', () => {
    const body = skull();
    const { lane, clock, told } = body;
    const greeting = lane.claim({ kind: 'greet', priority: 'LOW' });
    clock.advance(body.config.gaze.track_ms + 500);
    const song = lane.claim(sing('MEDIUM'));
    clock.advance(700);
    lane.claim({ kind: 'converse', priority: 'URGENT', args: { text: 'bonjour' } });
    assert.deepEqual(lane.paused(), [song, greeting]);
    body.send('ai/response', { text: 'salut' });
    told();
    done(body);
    assert.deepEqual(told(), [`voice/resume {"id":"${song.id}","offset_ms":700}`]);
    done(body);
    assert.equal(body.chart.state, 'Talk');
    assert.ok(told().includes(`voice/resume {"id":"${greeting.id}","offset_ms":500}`));
    done(body);
    assert.deepEqual(body.outcomes, ['converse completed', 'sing completed', 'greet completed']);
  });

  it('publishes for a task without a breath of the song', () => {
    const body = skull();
    body.lane.claim(sing());
    body.told();
    body.lane.claim({
      kind: 'publish',
      priority: 'URGENT',
      args: { topic: 'motion/servo/pan/move', payload: { angle: 5 } },
    });
    assert.deepEqual(body.told(), ['motion/servo/pan/move {"angle":5}']);
    assert.equal(body.chart.state, 'Sing');
    assert.deepEqual(body.outcomes, ['publish completed']);
  });

  it('ends a song that the voice never ends, after its duration and a margin, however often it was paused', () => {
    const body = skull();
    const { lane, clock, config, send } = body;
    lane.claim(sing('LOW', 10_000));
    clock.advance(4000);
    send('song/pause');
    clock.advance(100_000);
    send('song/resume');
    clock.advance(2000);
    lane.claim(say('Attention !'));
    clock.advance(5000);
    done(body);
    clock.advance(4000 + config.song.margin_ms - 1);
    assert.equal(body.chart.state, 'Sing');
    clock.advance(1);
    assert.equal(body.chart.state, 'Idle');
    assert.deepEqual(body.outcomes, ['say completed', 'sing timed_out']);
  });

  it('a song of unknown length ends too, some day', () => {
    const body = skull();
    body.lane.claim(sing('LOW', null));
    body.clock.advance(600_000);
    assert.equal(body.chart.state, 'Sing');
    body.clock.advance(body.config.song.margin_ms);
    assert.equal(body.chart.state, 'Idle');
  });

  it('follows the voice that says where it is', () => {
    const body = skull();
    const { lane, clock, send, told } = body;
    const { id } = lane.claim(sing());
    clock.advance(300);
    send('voice/state', { state: 'playing', id });
    clock.advance(1000);
    send('voice/state', { state: 'playing', id, position_ms: 900 });
    clock.advance(100);
    told();
    send('song/pause');
    assert.deepEqual(told(), ['motion/jaw {"open":0,"t":1000}', `voice/pause {"id":"${id}"}`]);
  });

  it('gives the body to whoever wants it while somebody has paused the song, and does not resume it by itself', () => {
    const body = skull();
    const { lane, send, told } = body;
    lane.claim(sing());
    send('song/pause');
    lane.claim(say('Psst', 'LOW'));
    assert.equal(body.chart.state, 'Speak');
    told();
    done(body);
    assert.equal(body.chart.state, 'Sing');
    assert.deepEqual(told(), []);
    send('song/resume');
    assert.match(told().join(), /^voice\/resume/);
    assert.equal(lane.claim(say('Psst', 'LOW')).phase, 'waiting');
  });

  it('a song that made room can be paused and resumed meanwhile', () => {
    for (const [orders, heard] of [
      [['song/pause'], []],
      [['song/pause', 'song/resume'], ['voice/resume']],
    ] as const) {
      const body = skull();
      body.lane.claim(sing());
      body.lane.claim(say('Attention !'));
      for (const order of orders) assert.equal(body.send(order).handled, true);
      body.told();
      done(body);
      assert.deepEqual(body.topics(), heard);
    }
  });

  it('a song that made room and shall go on has its priority again', () => {
    const { lane, send } = skull();
    const song = lane.claim(sing());
    send('song/pause');
    const word = lane.claim(say('Psst', 'HIGH'));
    assert.equal(word.phase, 'running');
    send('song/resume');
    lane.claim(say('Psst', 'LOW'));
    send('voice/state', { state: 'done', id: word.id });
    assert.deepEqual([lane.running[0]?.id, song.priority], [song.id, 'HIGH']);
  });

  it('greets a visitor while somebody has paused the song, and only then', () => {
    const { lane, send, chart } = skull();
    send('skull/mode', 'Accueil');
    lane.claim(sing());
    assert.equal(send('vision/motion', { score: 1 }).handled, false);
    send('song/pause');
    send('vision/motion', { score: 1 });
    assert.equal(chart.state, 'Track');
  });

  it('ends what is paused when it is cancelled, or was over already', () => {
    const body = skull();
    const song = body.lane.claim(sing());
    body.lane.claim(say('Attention !'));
    body.told();
    body.lane.cancel({ id: song.id });
    assert.deepEqual(body.told(), [`voice/stop {"id":"${song.id}"}`]);
    const other = body.lane.claim(sing('URGENT'));
    done(body);
    assert.equal(idOf(body), other.id);
    body.lane.claim({ ...say('Attention !'), priority: 'URGENT' });
    assert.equal(body.lane.waitingCount, 1);
    body.lane.setPriority(other.id, 'LOW');
    assert.equal(body.lane.pausedCount, 1);
    body.send('voice/state', { state: 'done', id: other.id });
    assert.equal(body.lane.pausedCount, 0);
    done(body);
    assert.equal(body.chart.state, 'Idle');
    assert.deepEqual(body.chart.context.shelf, []);
  });

  it('drops what is paused and does not belong to the new mode', () => {
    const body = skull();
    body.send('skull/mode', 'FullAuto');
    body.lane.claim(sing('LOW'));
    body.lane.claim({ kind: 'converse', priority: 'URGENT' });
    body.send('skull/mode', 'IA');
    assert.equal(body.chart.state, 'Listen');
    assert.deepEqual(body.outcomes, ['sing cancelled']);
    body.clock.advance(body.config.ia.listen_timeout_ms);
    assert.equal(body.chart.state, 'Idle');
  });

  it('waits with greetings while nothing may begin, but not for long', () => {
    const body = skull();
    body.send('skull/mode', 'Accueil');
    body.lane.hold();
    body.send('vision/motion', { score: 1 });
    body.send('vision/motion', { score: 1 });
    assert.equal(body.lane.waitingCount, 1);
    body.clock.advance(5000);
    assert.equal(body.lane.waitingCount, 0);
    body.lane.release();
    assert.equal(body.chart.state, 'Idle');
  });

  it('does not greet, nor listen, in a mode that came while it waited to', () => {
    for (const [mode, stimulus, payload] of [
      ['Accueil', 'vision/motion', { score: 1 }],
      ['IA', 'audio/vad', { active: true }],
    ] as const) {
      const body = skull();
      body.send('skull/mode', mode);
      body.lane.hold();
      body.send(stimulus, payload);
      body.send('skull/mode', 'Idle');
      body.lane.release();
      assert.equal(body.chart.state, 'Idle');
      assert.match(body.outcomes.join(), / refused$/);
    }
  });

  it('goes on at a place that the song has, though somebody set the clock', () => {
    const body = skull();
    body.lane.claim(sing('LOW', null));
    body.lane.cancel({});
    const { id } = body.lane.claim(sing('LOW', 10_000));
    body.send('song/pause');
    body.send('song/resume');
    const { chart } = body;
    assert.equal(chart.state, 'Sing');
    body.clock.set(body.clock.now() - 3_600_000);
    body.told();
    body.lane.claim(say('Attention !'));
    done(body);
    assert.ok(body.told().includes(`voice/resume {"id":"${id}","offset_ms":0}`));
    body.clock.set(body.clock.now() + 7_200_000);
    body.lane.claim(say('Attention !'));
    done(body);
    assert.ok(body.told().includes(`voice/resume {"id":"${id}","offset_ms":10000}`));
  });

  it('answers a song that cannot be played with failed', () => {
    const body = skull();
    const { id } = body.lane.claim(sing());
    body.send('voice/state', { state: 'error', id });
    assert.deepEqual(body.outcomes, ['sing failed']);
  });
});

const PRIORITY = fc.constantFrom<Priority>('URGENT', 'HIGH', 'MEDIUM', 'LOW', 'BACKGROUND');
const claim = fc
  .record({
    kind: fc.constantFrom('sing', 'say', 'greet', 'converse', 'publish', 'dance'),
    priority: PRIORITY,
    interruptible: fc.boolean(),
    ttlMs: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }),
  })
  .map((given): Claim => {
    const args: Record<string, unknown> = {
      sing: { song: 'a', path: 'a', duration_ms: 5000 },
      say: { text: 'a' },
      publish: { topic: 'voice/volume', payload: 1 },
    };
    return { ...given, args: args[given.kind] ?? {} };
  });

type Step = (body: Skull) => unknown;
const event = (type: string, ...payloads: unknown[]) =>
  fc.constantFrom(...payloads).map(
    (payload): Step =>
      (body) =>
        body.send(type, payload),
  );
const nth = <T>(list: readonly T[], n: number) => list[n % Math.max(1, list.length)];
const STEPS = fc.oneof(
  claim.map(
    (one): Step =>
      (body) => {
        if (!body.lane.locked) body.lane.claim(one);
      },
  ),
  fc.nat(5).map(
    (n): Step =>
      ({ lane }) => {
        lane.cancel({ id: nth([...lane.running, ...lane.paused(), ...lane.waiting()], n)?.id ?? 'none' });
      },
  ),
  fc.tuple(fc.nat(5), PRIORITY).map(
    ([n, priority]): Step =>
      ({ lane }) => {
        lane.setPriority(nth([...lane.running, ...lane.paused(), ...lane.waiting()], n)?.id ?? 'none', priority);
      },
  ),
  fc.boolean().map(
    (held): Step =>
      ({ lane }) =>
        held ? lane.hold() : lane.release(),
  ),
  fc.constantFrom('done', 'error', 'idle', 'playing').map(
    (state): Step =>
      (body) =>
        body.send('voice/state', { state }),
  ),
  fc.nat(5).map(
    (n): Step =>
      (body) => {
        body.send('voice/state', {
          state: 'done',
          id: nth([...body.lane.running, ...body.lane.paused()], n)?.id ?? 'none',
        });
      },
  ),
  fc.integer({ min: 1, max: 20_000 }).map(
    (ms): Step =>
      ({ clock }) =>
        clock.advance(ms),
  ),
  event('motion/estop', { active: true }, { active: false }),
  event('skull/mode', ...MODES),
  event('fullauto/step', { step: 'accueil' }, { step: 'ia' }, { step: '' }),
  event('vision/motion', { score: 1 }),
  event('audio/vad', { active: true }),
  event('asr/text', { text: 'a', final: true }),
  event('ai/response', { text: 'a' }),
  event('song/pause', {}),
  event('song/resume', {}),
);

/** Nothing that the skull's services would take for a beginning was published. */
function nothingBegan(body: Skull): void {
  const begun = ['voice/say', 'voice/play', 'voice/resume', 'ai/request', 'voice/volume'];
  assert.deepEqual(
    body.topics().filter((topic) => begun.includes(topic)),
    [],
  );
}

function agree(body: Skull): void {
  const { chart, lane, errors } = body;
  const { context, state } = chart;
  const shelf = (context.shelf as { activity: { id: string } }[]).map(({ activity }) => activity.id);
  assert.deepEqual(
    lane.running.map(({ id }) => id),
    idOf(body) === undefined ? [] : [idOf(body)],
  );
  assert.deepEqual(
    lane
      .paused()
      .map(({ id }) => id)
      .sort(),
    shelf.sort(),
  );
  assert.equal(context.estop, lane.locked);
  if (context.estop) assert.deepEqual([state, lane.running.length, lane.waitingCount, shelf.length], ['Idle', 0, 0, 0]);
  assert.equal(idOf(body) === undefined, state === 'Idle' || state === 'Sleep');
  assert.deepEqual(errors, []);
}

describe('chart and lane', () => {
  it('agree after each message, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(STEPS, { maxLength: 60 }), (steps) => {
        const body = skull();
        for (const step of steps) {
          body.commands.length = 0;
          const stopped = body.chart.context.estop;
          step(body);
          if (stopped && body.chart.context.estop) nothingBegan(body);
          agree(body);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('agree once their messages have arrived, however these are delayed, and nothing begins under emergency stop', () => {
    const delivery = fc.constantFrom<Step>(
      ({ toChart }) => toChart.shift()?.(),
      ({ toLane }) => toLane.shift()?.(),
    );
    const settle = ({ toChart, toLane }: Skull) => {
      while (toChart.length + toLane.length > 0) (toChart.shift() ?? toLane.shift())?.();
    };
    fc.assert(
      fc.property(fc.array(fc.oneof(STEPS, delivery, delivery), { maxLength: 120 }), (steps) => {
        const body = skull({ delayed: true });
        for (const step of steps) {
          body.commands.length = 0;
          const stopped = body.chart.context.estop;
          step(body);
          if (stopped && body.chart.context.estop) nothingBegan(body);
        }
        settle(body);
        agree(body);
      }),
      { numRuns: 500 },
    );
  });
});
