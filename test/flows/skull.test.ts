import assert from 'node:assert/strict';
import { skull, skullDefinition } from '../support/skull.ts';

const motion = { score: 0.9 };
const SONG = {
  kind: 'sing',
  priority: 'HIGH',
  args: { song: 'a', path: '/songs/a.mp3', duration_ms: 60_000 },
} as const;
const REPLY = { kind: 'converse', priority: 'URGENT', args: { text: 'bonjour' } } as const;

function at(state: string) {
  const body = skull();
  const go = (mode: string, ...events: [string, unknown?][]) => {
    body.send('skull/mode', mode);
    for (const [type, payload] of events) body.send(type, payload);
  };
  const { gaze, vision } = body.config;
  switch (state) {
    case 'Sleep':
      body.clock.advance(vision.sleep_after_ms);
      break;
    case 'Track':
      go('Accueil', ['vision/motion', motion]);
      break;
    case 'Talk':
      go('Accueil', ['vision/motion', motion]);
      body.clock.advance(gaze.track_ms);
      break;
    case 'Sing':
      go('Chanson');
      body.lane.claim(SONG);
      break;
    case 'Listen':
      go('IA', ['audio/vad', { active: true }]);
      break;
    case 'Think':
      go('IA', ['audio/vad', { active: true }], ['asr/text', { text: 'bonjour', final: true }]);
      break;
    case 'Speak':
      go(
        'IA',
        ['audio/vad', { active: true }],
        ['asr/text', { text: 'bonjour', final: true }],
        ['ai/response', { text: 'ok' }],
      );
      break;
    default:
  }
  assert.equal(body.chart.state, state);
  body.commands.length = 0;
  body.states.length = 0;
  return body;
}

const STATES = ['Idle', 'Track', 'Talk', 'Sing', 'Listen', 'Think', 'Speak', 'Sleep'];

describe('the skull', () => {
  it('has a definition without an issue or a warning', () => {
    const { issues, warnings } = skullDefinition();
    assert.deepEqual([issues, warnings], [[], []]);
  });

  it('boots in Idle and mode Idle, and says so', () => {
    const { chart, told, states } = skull();
    assert.equal(chart.state, 'Idle');
    assert.deepEqual(states, ['Idle']);
    assert.deepEqual(told(), [
      'orchestrator/estop off',
      'skull/mode Idle',
      'voice/stop {}',
      'motion/jaw {"open":0,"t":0}',
    ]);
  });

  describe('mode Accueil', () => {
    it('greets whoever comes: Track, Talk, Idle', () => {
      const { send, clock, told, states, chart, errors } = skull();
      send('skull/mode', 'Accueil');
      told();
      send('vision/motion', motion);
      assert.deepEqual(told(), ['motion/track {"active":true,"x":0,"y":0}']);
      clock.advance(800);
      const [say] = told();
      const { id, text, lang } = JSON.parse(say?.replace('voice/say ', '') ?? '');
      assert.deepEqual([id, lang], [(chart.context.activity as { id: string }).id, 'fr-FR']);
      assert.ok(text.length > 0);
      send('voice/state', { state: 'done', id });
      assert.deepEqual(told(), ['motion/track {"active":false,"x":0,"y":0}']);
      assert.deepEqual(states, ['Idle', 'Track', 'Talk', 'Idle']);
      assert.deepEqual(errors, []);
    });

    it('ignores what is not above the threshold', () => {
      const { send, chart, config } = skull();
      send('skull/mode', 'Accueil');
      send('vision/motion', { score: config.vision.threshold });
      assert.equal(chart.state, 'Idle');
    });

    it('waits for the cool-down, counted from the end of the greeting', () => {
      const { send, chart, clock, config } = at('Talk');
      clock.advance(5000);
      send('voice/state', { state: 'done' });
      clock.advance(config.vision.cooldown_ms - 1);
      send('vision/motion', motion);
      assert.equal(chart.state, 'Idle');
      clock.advance(1);
      send('vision/motion', motion);
      assert.equal(chart.state, 'Track');
    });

    it('never greets twice running with the same words', () => {
      const body = at('Idle');
      body.send('skull/mode', 'Accueil');
      const said = Array.from({ length: 20 }, () => {
        body.send('vision/motion', motion);
        body.clock.advance(800);
        body.send('voice/state', { state: 'done' });
        body.clock.advance(body.config.vision.cooldown_ms);
        return body.chart.context.greeting;
      });
      assert.ok(said.every((greeting, i) => greeting !== said[i - 1]));
      assert.ok(new Set(said).size > 1);
    });

    it('gives up a greeting that the voice never ends', () => {
      const { clock, chart, topics, config } = at('Talk');
      clock.advance(config.accueil.talk_timeout_ms);
      assert.equal(chart.state, 'Idle');
      assert.deepEqual(topics(), ['voice/stop', 'motion/track']);
    });

    it('follows a pose, smoothed, and not when the gaze is off', () => {
      const { send, told, config } = at('Track');
      send('vision/pose', { x: 1, y: -1 });
      assert.deepEqual(told(), ['motion/track {"active":true,"x":0.7,"y":-0.7}']);
      config.gaze.enabled = false;
      assert.equal(send('vision/pose', { x: 0, y: 0 }).handled, false);
    });
  });

  describe('mode IA', () => {
    it('hears, thinks and speaks', () => {
      const { send, told, states, chart, errors } = skull();
      send('skull/mode', 'IA');
      told();
      send('audio/vad', { active: true });
      const { id } = chart.context.activity as { id: string };
      assert.deepEqual(told(), ['asr/listen {"active":true}']);
      send('asr/text', { text: 'bonj', final: false });
      send('asr/text', { text: 'bonjour', final: true });
      const [off, request] = told();
      assert.equal(off, 'asr/listen {"active":false}');
      assert.match(request ?? '', new RegExp(`^ai/request \\{"id":"${id}","text":"bonjour","prompt_system":`));
      send('ai/response', { text: 'from another time', id: 'older' });
      send('ai/response', { text: 'salut', id });
      assert.deepEqual(told(), [`voice/say {"id":"${id}","text":"salut","lang":"fr-FR"}`]);
      send('voice/state', { state: 'speaking', id });
      send('voice/state', { state: 'done', id: 'older' });
      assert.equal(chart.state, 'Speak');
      send('voice/state', { state: 'done', id });
      assert.deepEqual(states, ['Idle', 'Listen', 'Think', 'Speak', 'Idle']);
      assert.deepEqual(told(), []);
      assert.deepEqual(errors, []);
    });

    it('lets every wait end', () => {
      const listening = at('Listen');
      listening.clock.advance(listening.config.ia.listen_timeout_ms);
      assert.deepEqual(listening.states, ['Idle']);
      assert.deepEqual(listening.told(), ['asr/listen {"active":false}']);

      const thinking = at('Think');
      thinking.clock.advance(thinking.config.ia.think_timeout_ms);
      assert.deepEqual(thinking.states, ['Idle']);

      const speaking = at('Speak');
      speaking.clock.advance(speaking.config.ia.speak_timeout_ms);
      assert.deepEqual(speaking.states, ['Idle']);
      assert.deepEqual(speaking.topics(), ['voice/stop']);
    });

    it('says the fallback text when the AI stays silent', () => {
      const { clock, config, states, told } = at('Think');
      config.ia.fallback_text = 'Je ne sais pas.';
      clock.advance(config.ia.think_timeout_ms);
      assert.deepEqual(states, ['Speak']);
      assert.match(told()[0] ?? '', /Je ne sais pas\./);
    });

    it('takes a text as if it had been heard, in any mode', () => {
      for (const state of ['Idle', 'Sleep', 'Listen', 'Sing', 'Track']) {
        const { send, lane, chart, topics } = at(state);
        const { mode } = chart.context;
        if (state === 'Listen') assert.equal(send('ia/reply', { text: 'bonjour' }).handled, true);
        else lane.claim(REPLY);
        assert.equal(chart.state, 'Think');
        assert.equal(chart.context.mode, mode);
        assert.ok(topics().includes('ai/request'));
      }
    });
  });

  describe('a song', () => {
    it('plays, pauses, goes on where it was, and closes the jaw at its end', () => {
      const { send, clock, chart, lane, told } = at('Idle');
      lane.claim(SONG);
      const { id } = chart.context.activity as { id: string };
      assert.deepEqual(told(), [
        `voice/play {"id":"${id}","path":"/songs/a.mp3","offset_ms":0,"volume":80,"jaw_sync":true}`,
      ]);
      clock.advance(1500);
      send('song/pause');
      assert.deepEqual(told(), ['motion/jaw {"open":0,"t":1500}', `voice/pause {"id":"${id}"}`]);
      clock.advance(9000);
      send('song/resume');
      clock.advance(500);
      send('song/pause');
      send('song/resume');
      assert.ok(told().includes(`voice/resume {"id":"${id}","offset_ms":2000}`));
      send('voice/state', { state: 'done', id });
      assert.equal(chart.state, 'Idle');
      assert.deepEqual(
        told().filter((line) => !line.startsWith('motion/jaw {"open":0,')),
        [],
      );
    });

    it('stops when told', () => {
      const { lane, topics, chart } = at('Sing');
      lane.cancel({ kinds: ['sing'] });
      assert.equal(chart.state, 'Idle');
      assert.deepEqual(topics().sort(), ['motion/jaw', 'voice/stop']);
    });
  });

  describe('emergency stop', () => {
    for (const state of STATES) {
      it(`ends ${state}, and nothing starts until it is released`, () => {
        const { send, chart, lane, told, clock, config } = at(state);
        send('motion/estop', { active: true });
        assert.equal(chart.state, 'Idle');
        const said = told();
        for (const line of ['motion/estop on', 'motion/center {}', 'orchestrator/estop on'])
          assert.equal(said.filter((one) => one === line).length, 1, line);
        for (const topic of ['voice/stop ', 'motion/jaw {"open":0'])
          assert.equal(
            said.filter((one) => one.startsWith(topic)).length,
            topic.startsWith('motion') && state === 'Sing' ? 2 : 1,
            topic,
          );
        assert.equal(said.includes('motion/track {"active":false,"x":0,"y":0}'), state === 'Track' || state === 'Talk');
        assert.equal(said.includes('asr/listen {"active":false}'), state === 'Listen');

        send('skull/mode', 'Accueil');
        send('vision/motion', motion);
        send('skull/mode', 'IA');
        send('audio/vad', { active: true });
        assert.throws(() => lane.claim(SONG));
        send('activity/start', { id: 'x', ...SONG, preempts: null, since: 0 });
        clock.advance(config.vision.sleep_after_ms * 2);
        assert.equal(chart.state, 'Idle');
        assert.equal(chart.context.mode, 'IA');

        told();
        send('motion/estop', { active: false });
        assert.deepEqual(told(), ['motion/estop off', 'orchestrator/estop off']);
        send('audio/vad', { active: true });
        assert.equal(chart.state, 'Listen');
      });
    }

    it('pressed again, centres again, and does not answer its own echo', () => {
      const { send, told } = at('Idle');
      send('motion/estop', { active: true });
      told();
      send('motion/estop', { active: true });
      assert.deepEqual(
        told().filter((line) => line.startsWith('motion/estop')),
        [],
      );
      assert.equal(send('motion/estop', { active: false }).handled, true);
      assert.equal(send('motion/estop', { active: false }).handled, false);
    });

    it('still holds after a restart', () => {
      const { chart, told, lane } = skull({ restored: { estop: true } });
      assert.deepEqual(told(), [
        'orchestrator/estop on',
        'motion/estop on',
        'skull/mode Idle',
        'voice/stop {}',
        'motion/jaw {"open":0,"t":0}',
      ]);
      assert.throws(() => lane.claim(SONG), { code: 'conflict' });
      assert.equal(chart.context.estop, true);
    });
  });

  describe('a change of mode', () => {
    const belongs: Record<string, string[]> = {
      Track: ['Accueil', 'FullAuto'],
      Talk: ['Accueil', 'FullAuto'],
      Sing: ['Chanson', 'FullAuto'],
      Listen: ['IA', 'FullAuto'],
      Think: ['IA', 'FullAuto'],
      Speak: ['IA', 'FullAuto'],
      Idle: [],
      Sleep: [],
    };
    for (const state of STATES) {
      for (const mode of ['Idle', 'Accueil', 'Chanson', 'IA', 'FullAuto']) {
        it(`to ${mode} in ${state}`, () => {
          const { send, chart, told } = at(state);
          const before = chart.context.mode;
          assert.equal(send('skull/mode', mode).handled, true);
          assert.equal(chart.context.mode, mode);
          const stays = mode === before || belongs[state]?.includes(mode);
          assert.equal(chart.state, stays ? state : 'Idle');
          const said = told();
          assert.equal(said.includes(`skull/mode ${mode}`), mode !== before);
          const speaks = ['Talk', 'Sing', 'Speak'].includes(state);
          assert.equal(
            said.some((line) => line.startsWith('voice/stop')),
            !stays && speaks,
          );
          assert.equal(
            said.includes('motion/track {"active":false,"x":0,"y":0}'),
            !stays && ['Track', 'Talk'].includes(state),
          );
        });
      }
    }
  });

  describe('sleep', () => {
    it('comes after a while without a stimulus', () => {
      const { clock, send, chart, config } = at('Idle');
      const { sleep_after_ms } = config.vision;
      clock.advance(sleep_after_ms - 1);
      send('vision/motion', motion);
      clock.advance(sleep_after_ms - 1);
      assert.equal(chart.state, 'Idle');
      clock.advance(1);
      assert.equal(chart.state, 'Sleep');
    });

    it('never comes when it is switched off', () => {
      const { clock, send, config, chart } = at('Idle');
      config.vision.sleep_after_ms = 0;
      send('skull/mode', 'Chanson');
      clock.advance(86_400_000);
      assert.equal(chart.state, 'Idle');
    });

    it('ends with the next thing to do', () => {
      const { clock, send, chart, config } = at('Idle');
      send('skull/mode', 'Accueil');
      clock.advance(config.vision.sleep_after_ms);
      assert.equal(chart.state, 'Sleep');
      send('vision/motion', motion);
      assert.equal(chart.state, 'Track');
    });
  });
});
