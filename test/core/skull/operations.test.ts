import assert from 'node:assert/strict';
import { SECTION_NAMES } from '../../../core/skull/config/sections.ts';
import { OPERATIONS, operationOf } from '../../../core/skull/operations/index.ts';
import type { Operation } from '../../../core/skull/operations/operation.ts';
import { assertDocumented } from '../../support/answers.ts';
import { type Given, setUp } from '../../support/operations.ts';

const roleOf = ({ tag }: Operation) => (tag === 'Services' ? 'admin' : 'editor');

describe('operations of the REST API', () => {
  it('have ids and places of their own, and examples that fit', () => {
    assert.equal(new Set(OPERATIONS.map(({ id }) => id)).size, OPERATIONS.length);
    assert.equal(new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`)).size, OPERATIONS.length);
    for (const operation of OPERATIONS) {
      assertDocumented(operation, operation.success.status, operation.success.example);
      const needed = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys(Object(operation.params).properties ?? {}), needed, operation.id);
      assert.ok(
        operation.method === 'GET' || operation.id === 'setEstop' || operation.role === roleOf(operation),
        operation.id,
      );
    }
  });

  it('refuse a query parameter, a key of the body and a missing body that they do not know, and name it', async () => {
    const { refused } = setUp();
    const issues = async (...[id, given]: [string, Given]) => (await refused(id, 'invalid', given)).issues;
    assert.deepEqual(await issues('getStatus', { query: { verbose: '1' } }), [
      { path: '/verbose', message: 'is not a known parameter' },
    ]);
    assert.deepEqual(await issues('setEstop', { body: { active: true, why: 'x' } }), [
      { path: '/why', message: 'is not a known key' },
    ]);
    assert.deepEqual(await issues('setEstop', { body: JSON.parse('{"__proto__":{"active":true}}') }), [
      { path: '/__proto__', message: 'is not a known key' },
    ]);
    assert.deepEqual(await issues('setMode', {}), [{ path: '', message: 'is needed' }]);
    assert.deepEqual(await issues('reply', { body: { text: ' ' } }), [{ path: '/text', message: 'must not be blank' }]);
    assert.equal((await issues('stopSong', { body: { song: 'x' } }))[0]?.path, '/song');
  });

  describe('health and status', () => {
    it('is healthy, degraded without broker or with a broken file, unhealthy without a body', async () => {
      const { answer, ask, link, release, chart, character, folder } = setUp();
      assert.deepEqual(await answer('getHealth'), {
        status: 200,
        body: {
          status: 'healthy',
          version: '1.2.3',
          service: 'orchestrator',
          uptime_seconds: 0,
          checks: {
            mqtt: 'ok',
            database: 'not_configured',
            service_manager: 'not_configured',
            statechart: 'ok',
            config: 'ok',
          },
          problems: [],
        },
      });
      const look = async () => {
        const { status, body } = await answer('getHealth');
        return [status, Reflect.get(Object(body), 'status')];
      };
      link.setConnected(false);
      assert.deepEqual(await look(), [200, 'degraded']);
      link.setConnected(true);
      folder.edit('gaze', '{');
      assert.deepEqual(await look(), [200, 'degraded']);
      assert.equal(character.config.problems().length, 1);
      folder.edit('gaze', '{}');
      assert.deepEqual(await look(), [200, 'healthy']);
      release();
      const end = character.embody(chart, () => ['The memory is broken.']);
      assert.deepEqual(Object(await ask('getHealth')).problems, ['The memory is broken.']);
      assert.deepEqual(await look(), [200, 'degraded']);
      end();
      assert.deepEqual(await look(), [503, 'unhealthy']);
    });

    it('tells what the skull does', async () => {
      const { ask, clock, link } = setUp();
      await ask('setMode', { body: { state: 'IA' } });
      await ask('playSong', { body: { song: 'thriller' } });
      clock.advance(1500);
      const status = Object(await ask('getStatus'));
      assert.equal(status.mode, 'IA');
      assert.equal(status.state, 'Sing');
      assert.equal(status.uptime_seconds, 1);
      assert.equal(status.activity.running_ms, 1500);
      clock.set(clock.now() - 31_536_000_000);
      const after = Object(await ask('getStatus'));
      assert.deepEqual([after.uptime_seconds, after.activity.running_ms], [1, 0], 'though somebody set the clock');
      assert.deepEqual(status.mqtt, { connected: true, url: link.url });
    });
  });

  describe('mode', () => {
    it('changes by either key, also under emergency stop', async () => {
      const { ask } = setUp();
      assert.deepEqual(await ask('getMode'), { mode: 'Idle' });
      assert.deepEqual(await ask('setMode', { body: { state: 'Accueil' } }), { mode: 'Accueil' });
      await ask('setEstop');
      assert.deepEqual(await ask('setMode', { body: { mode: 'IA' } }), { mode: 'IA' });
      assert.deepEqual(await ask('setMode', { body: { mode: 'IA', state: 'IA' } }), { mode: 'IA' });
      assert.deepEqual(await ask('getMode'), { mode: 'IA' });
    });

    it('refuses an unknown word, none and two that differ', async () => {
      const { ask, refused } = setUp();
      for (const body of [{ state: 'accueil' }, {}, { mode: 'IA', state: 'Idle' }, 'IA', null, []]) {
        await refused('setMode', 'invalid', { body });
      }
      assert.deepEqual(await ask('getMode'), { mode: 'Idle' });
    });
  });

  describe('emergency stop', () => {
    it('is set in the very tick, without a body too, and latched until it is released', async () => {
      const { ask, character, told } = setUp();
      await ask('playSong', { body: { song: 'thriller' } });
      told();
      const request = { id: 'r', role: 'viewer', params: {}, query: {}, body: undefined } as const;
      const answered = operationOf('setEstop')?.run(request, character);
      assert.deepEqual(answered, { body: { estop: true, state: 'Idle' } });
      assert.ok(told().includes('motion/estop on'));
      assert.deepEqual(await ask('setEstop', { body: {} }), { estop: true, state: 'Idle' });
      assert.deepEqual(await ask('setEstop', { body: { active: false } }), { estop: false, state: 'Idle' });
    });

    it('is set by any key and released by an editor', async () => {
      const { ask, refused } = setUp();
      await ask('setEstop', { role: 'viewer' });
      await refused('setEstop', 'forbidden', { role: 'viewer', body: { active: false } });
      assert.equal(Object(await ask('getStatus')).estop, true);
      await ask('setEstop', { role: 'editor', body: { active: false } });
    });

    it('keeps all else from starting', async () => {
      const { ask, refused } = setUp();
      await ask('setEstop');
      await refused('playSong', 'estop', { body: { song: 'thriller' } });
      await refused('playSong', 'estop');
      await refused('pauseSong', 'estop');
      await refused('reply', 'estop', { body: { text: 'bonjour' } });
      await refused('moveServo', 'estop', { params: { name: 'jaw' }, body: { angle: 1 } });
      assert.deepEqual(await ask('stopSong'), { state: 'Idle', activity: null });
    });
  });

  it('that need a body say so when there is none', async () => {
    const { release, refused, ask } = setUp();
    release();
    await refused('getMode', 'unavailable');
    await refused('setMode', 'unavailable', { body: { mode: 'IA' } });
    await refused('setEstop', 'unavailable');
    await refused('playSong', 'unavailable', { body: { song: 'thriller' } });
    await refused('pauseSong', 'unavailable');
    await refused('stopSong', 'unavailable');
    await refused('reply', 'unavailable', { body: { text: 'bonjour' } });
    assert.equal(Object(await ask('getStatus')).state, 'Idle');
  });

  describe('configuration', () => {
    it('is read as a whole and by section', async () => {
      const { ask, character } = setUp();
      assert.deepEqual(await ask('getConfig'), character.config.all());
      for (const section of SECTION_NAMES) {
        assert.deepEqual(await ask('getSection', { params: { section } }), character.config.get(section));
      }
    });

    it('is replaced and patched, and tells what is stored', async () => {
      const { ask, character } = setUp();
      const gaze = { params: { section: 'gaze' } };
      const sources: string[] = [];
      character.config.onChange(({ source }) => void sources.push(source));
      assert.deepEqual(await ask('replaceSection', { ...gaze, body: { track_ms: 900, smoothing: 0.5 } }), {
        enabled: true,
        track_ms: 900,
        smoothing: 0.5,
      });
      assert.deepEqual(await ask('patchSection', { ...gaze, body: { track_ms: null, enabled: false } }), {
        enabled: false,
        track_ms: 800,
        smoothing: 0.5,
      });
      assert.deepEqual(sources, ['rest', 'rest']);
    });

    it('refuses an unknown section, key and value, and keeps what it had', async () => {
      const { refused, ask } = setUp();
      for (const section of ['nope', 'toString', '__proto__', '']) {
        await refused('getSection', 'not_found', { params: { section } });
        await refused('replaceSection', 'not_found', { params: { section }, body: {} });
        await refused('patchSection', 'not_found', { params: { section }, body: {} });
      }
      const gaze = { params: { section: 'gaze' } };
      const before = await ask('getSection', gaze);
      const { issues } = await refused('patchSection', 'invalid', { ...gaze, body: { track_ms: 5, foo: 1 } });
      assert.deepEqual(issues.map(({ path }) => path).sort(), ['/foo', '/track_ms']);
      await refused('replaceSection', 'invalid', { ...gaze, body: [] });
      await refused('patchSection', 'invalid', { ...gaze, body: JSON.parse('{"__proto__":{"enabled":false}}') });
      await refused('replaceFullautoConfig', 'not_allowed', {
        body: { quiet_hours: { from: '22:00', to: '07:00', timezone: 'Europe/Nowhere' } },
      });
      assert.deepEqual(await ask('getSection', gaze), before);
    });

    it('has places of their own for ia and fullauto', async () => {
      const { ask, character } = setUp();
      await ask('patchIaConfig', { body: { think_timeout_ms: 900 } });
      assert.equal(Object(await ask('getIaConfig')).think_timeout_ms, 900);
      await ask('replaceIaConfig', { body: { provider: 'ollama' } });
      assert.equal(character.config.get('ia').think_timeout_ms, 15_000);
      await ask('patchFullautoConfig', { body: { hold: true } });
      await ask('replaceFullautoConfig', { body: { shuffle: false } });
      const { hold, shuffle } = Object(await ask('getFullautoConfig'));
      assert.deepEqual([hold, shuffle], [false, false]);
    });
  });

  describe('servos', () => {
    const jaw = { params: { name: 'jaw' } };

    it('are listed page by page', async () => {
      const { ask, refused } = setUp();
      assert.deepEqual(await ask('listServos'), {
        items: [
          { name: 'jaw', min: 0, max: 40, center: 0 },
          { name: 'pan', min: -60, max: 60, center: 0 },
          { name: 'tilt', min: -20, max: 20, center: 0 },
        ],
        next_cursor: null,
      });
      const first = Object(await ask('listServos', { query: { limit: '2' } }));
      assert.equal(first.items.length, 2);
      const second = Object(await ask('listServos', { query: { limit: '2', cursor: first.next_cursor } }));
      assert.deepEqual([second.items.map(({ name }: { name: string }) => name), second.next_cursor], [['tilt'], null]);
      for (const query of [{ limit: '501' }, { limit: '0' }, { limit: 'x' }, { cursor: 'nose' }, { page: '1' }]) {
        await refused('listServos', 'invalid', { query });
      }
    });

    it('are moved within their limits', async () => {
      const { answer, refused } = setUp();
      assert.deepEqual(await answer('moveServo', { ...jaw, body: { angle: 12.5 } }), {
        body: { name: 'jaw', angle: 12.5, duration_ms: 300 },
        commands: [{ topic: 'motion/servo/jaw/move', payload: { angle: 12.5, duration_ms: 300 } }],
      });
      await answer('moveServo', { ...jaw, body: { angle: 40, duration_ms: 0 } });
      await refused('moveServo', 'not_allowed', { ...jaw, body: { angle: 40.1 } });
      await refused('moveServo', 'not_allowed', { ...jaw, body: { angle: -1 } });
      await refused('moveServo', 'invalid', { ...jaw, body: { angle: '1' } });
      await refused('moveServo', 'invalid', { ...jaw, body: { angle: 1, duration_ms: -1 } });
      await refused('moveServo', 'not_found', { params: { name: 'nose' }, body: { angle: 1 } });
      await refused('moveServo', 'not_found', { params: { name: 'constructor' }, body: { angle: 1 } });
    });

    it('have limits that are part of the configuration', async () => {
      const { ask, refused, character } = setUp();
      assert.deepEqual(await ask('getServoLimits', jaw), { min: 0, max: 40, center: 0 });
      const limits = { min: -5, max: 30, center: 2 };
      assert.deepEqual(await ask('setServoLimits', { ...jaw, body: limits }), limits);
      assert.deepEqual(character.config.get('motion').servos.jaw, limits);
      assert.deepEqual(character.config.get('motion').servos.pan, { min: -60, max: 60, center: 0 });
      const { issues } = await refused('setServoLimits', 'not_allowed', { ...jaw, body: { ...limits, center: 31 } });
      assert.equal(issues[0]?.path, '/center');
      await refused('setServoLimits', 'invalid', { ...jaw, body: { min: 0, max: 1 } });
      await refused('setServoLimits', 'not_found', { params: { name: 'nose' }, body: limits });
      await refused('getServoLimits', 'not_found', { params: { name: 'nose' } });
    });
  });

  describe('AI', () => {
    const text = { body: { text: 'bonjour' } };

    it('has a system prompt that is read and set, by PUT and POST', async () => {
      const { ask, character, refused } = setUp();
      assert.deepEqual(await ask('getPromptSystem'), { prompt: character.config.get('ia').prompt_system });
      assert.deepEqual(await ask('replacePromptSystem', { body: { prompt: 'un' } }), { prompt: 'un' });
      assert.deepEqual(await ask('setPromptSystem', { body: { prompt: 'deux' } }), { prompt: 'deux' });
      assert.equal(character.config.get('ia').prompt_system, 'deux');
      await refused('setPromptSystem', 'invalid', { body: {} });
    });

    it('answers once the AI has, in any mode', async () => {
      const { ask, send, told, states } = setUp();
      const reply = ask('reply', text);
      assert.match(told().join(), /ai\/request .*"text":"bonjour"/);
      send('ai/response', { text: 'Salut', id: 'somebody else’s' });
      send('ai/response', { text: 'Bonjour, vivant.' });
      assert.deepEqual(await reply, { reply: 'Bonjour, vivant.' });
      assert.deepEqual(states.slice(-2), ['Think', 'Speak']);
    });

    it('is late with 504, also when a fallback is spoken', async () => {
      const { refused, clock, config, states } = setUp();
      const first = refused('reply', 'timeout', text);
      clock.advance(15_000);
      await first;
      Object.assign(config, { ia: { ...config.ia, fallback_text: 'Hein ?' } });
      const second = refused('reply', 'timeout', text);
      clock.advance(15_000);
      await second;
      assert.equal(states.at(-1), 'Speak');
    });

    it('is interrupted by an emergency stop or another mode with 409', async () => {
      const { refused, send } = setUp();
      send('skull/mode', 'IA');
      const first = refused('reply', 'conflict', text);
      send('skull/mode', 'Idle');
      await first;
      const second = refused('reply', 'conflict', text);
      send('motion/estop', { active: true });
      await second;
    });

    it('is not asked twice at once', async () => {
      const { ask, refused, send } = setUp();
      const first = ask('reply', text);
      await refused('reply', 'busy', text);
      send('ai/response', { text: 'oui' });
      await first;
    });

    it('is not waited for when the statechart is taken away', async () => {
      const { refused, chart, clock } = setUp();
      const reply = refused('reply', 'timeout', text);
      chart.stop();
      clock.advance(16_000);
      await reply;
      assert.equal(clock.pending, 0);
    });
  });
});
