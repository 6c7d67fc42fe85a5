import assert from 'node:assert/strict';
import type { ErrorCode } from '../../../core/model/errors.ts';
import { setUp } from '../../support/operations.ts';

describe('operations on the body', () => {
  describe('songs', () => {
    it('play by name in any mode, pause, go on and stop', async () => {
      const { ask, told, clock } = setUp();
      assert.equal(Object(await ask('playSong', { body: { song: 'thriller' } })).state, 'Sing');
      const play = told().find((line) => line.startsWith('voice/play'));
      assert.match(String(play), /"path":"\/home\/skull\/songs\/thriller\.mp3"/);
      clock.advance(4000);
      await ask('pauseSong');
      await ask('pauseSong');
      assert.equal(told().filter((line) => line.startsWith('voice/pause')).length, 1);
      await ask('playSong');
      assert.match(told().join(), /voice\/resume .*"offset_ms":4000/);
      assert.deepEqual(await ask('stopSong'), { state: 'Idle', activity: null });
      assert.deepEqual(await ask('stopSong'), { state: 'Idle', activity: null });
    });

    it('play the configured one when none is named', async () => {
      const { ask, refused } = setUp();
      await refused('playSong', 'not_allowed');
      await ask('patchSection', { params: { section: 'song' }, body: { default: 'Noël – 2.mp3' } });
      assert.equal(Object(await ask('playSong', { body: {} })).state, 'Sing');
    });

    it('are refused when they are not there', async () => {
      const { refused } = setUp();
      for (const song of ['nope', '../thriller', '/etc/passwd', 'notes.txt', 'thriller.mp3\0']) {
        await refused('playSong', 'not_allowed', { body: { song } });
      }
      await refused('playSong', 'invalid', { body: { song: '' } });
      await refused('pauseSong', 'conflict');
    });

    it('wait for the one that plays, and stop with it', async () => {
      const { ask, character } = setUp();
      const first = Object(await ask('playSong', { body: { song: 'thriller.mp3' } }));
      const second = Object(await ask('playSong', { body: { song: 'Noël – 2' } }));
      assert.deepEqual([first.activity.phase, second.activity.phase], ['running', 'waiting']);
      assert.equal(character.status().queued, 1);
      assert.deepEqual(await ask('stopSong'), { state: 'Idle', activity: null });
      assert.equal(character.status().queued, 0);
    });

    it('take the place of a paused one', async () => {
      const { ask, character, outcomes } = setUp();
      await ask('playSong', { body: { song: 'thriller' } });
      await ask('pauseSong');
      const { activity } = Object(await ask('playSong', { body: { song: 'Noël – 2' } }));
      assert.equal(activity.phase, 'running');
      assert.deepEqual([outcomes, character.status().paused], [['sing cancelled'], 0]);
    });

    it('that may not be interrupted are not paused either', async () => {
      const { ask, refused, told } = setUp();
      await ask('createTask', { body: { activity: 'sing', args: { song: 'thriller' }, interruptible: false } });
      told();
      await refused('pauseSong', 'conflict');
      assert.deepEqual(told(), []);
    });

    it('that made room are paused and resumed too', async () => {
      const { ask, told, send, character } = setUp();
      const { activity } = Object(await ask('playSong', { body: { song: 'thriller' } }));
      const { activity: word } = Object(await ask('say', { body: { text: 'Silence !', priority: 'URGENT' } }));
      assert.equal(word.priority, 'URGENT');
      const { paused, activity: current, state } = character.status();
      assert.deepEqual([paused, current?.id, state], [1, word.id, 'Speak']);
      assert.equal(Object(await ask('pauseSong')).activity.id, activity.id);
      told();
      send('voice/state', { state: 'done', id: word.id });
      assert.deepEqual(told(), []);
      await ask('playSong');
      assert.match(told().join(), /^voice\/resume/);
    });
  });

  describe('say', () => {
    it('speaks at once, as HIGH, and waits for its equals', async () => {
      const { ask, told } = setUp();
      const first = Object(await ask('say', { body: { text: 'un' } })).activity;
      const second = Object(await ask('say', { body: { text: 'deux', priority: 2 } })).activity;
      assert.deepEqual(
        [first, second].map(({ kind, priority, phase }) => [kind, priority, phase]),
        [
          ['say', 'HIGH', 'running'],
          ['say', 'HIGH', 'waiting'],
        ],
      );
      assert.equal(told().filter((line) => line.startsWith('voice/say')).length, 1);
    });

    it('is refused under emergency stop, and what it cannot say', async () => {
      const { refused, send } = setUp();
      for (const body of [
        {},
        { text: '' },
        { text: ' ' },
        { text: 'a', priority: 'SOON' },
        { text: 'a', lang: 'fr' },
      ]) {
        await refused('say', 'invalid', { body });
      }
      send('motion/estop', { active: true });
      await refused('say', 'estop', { body: { text: 'a' } });
    });
  });

  describe('tasks', () => {
    const post = { name: 'news', priority: 'MEDIUM', activity: 'say', args: { text: 'bonjour' } };

    it('run in the order of their priorities, as the status tells', async () => {
      const { ask, send, clock, answer } = setUp();
      const idle = { mode: 'idle', streaming: false, can_interrupt: true, tasks_queued: 0, tasks_completed: 0 };
      assert.deepEqual(await ask('getPriorities'), { state: idle, current_task: null, queue_size: 0, paused_tasks: 0 });
      await ask('stopTasks');
      assert.equal(Object(await ask('getPriorities')).state.mode, 'stopped');
      for (const priority of ['BACKGROUND', 4, 'MEDIUM', 'HIGH'] as const) {
        const { status, body } = await answer('createTask', { body: { ...post, name: String(priority), priority } });
        assert.equal(status ?? 201, 201);
        assert.equal(Object(body).state, 'waiting');
      }
      const names = async () =>
        Object(await ask('listTasks')).items.map(({ name, state }: Record<string, string>) => `${name} ${state}`);
      assert.deepEqual(await names(), ['HIGH waiting', 'MEDIUM waiting', '4 waiting', 'BACKGROUND waiting']);
      const status = Object(await ask('startTasks'));
      clock.advance(1200);
      const { id, ...current } = Object(await ask('getPriorities')).current_task;
      assert.equal(status.current_task.id, id);
      assert.deepEqual(current, { name: 'HIGH', priority: 'HIGH', interruptible: true, running_for: 1.2 });
      assert.deepEqual([status.state.mode, status.queue_size], ['busy', 3]);
      send('voice/state', { state: 'done' });
      assert.deepEqual(await names(), ['MEDIUM running', '4 waiting', 'BACKGROUND waiting']);
      assert.equal(Object(await ask('getPriorities')).state.tasks_completed, 1);
    });

    it('may not be interrupted when they say so: streaming', async () => {
      const { ask, send } = setUp();
      await ask('createTask', { body: { ...post, interruptible: false } });
      await ask('createTask', { body: { ...post, priority: 'URGENT' } });
      const { state, queue_size } = Object(await ask('getPriorities'));
      assert.deepEqual([state.mode, state.streaming, state.can_interrupt, queue_size], ['streaming', true, false, 1]);
      send('voice/state', { state: 'done' });
      assert.equal(Object(await ask('getPriorities')).current_task.priority, 'URGENT');
    });

    it('are cancelled, whether they wait, run or are paused', async () => {
      const { ask, refused, told } = setUp();
      const low = Object(await ask('createTask', { body: { ...post, priority: 'LOW' } }));
      const high = Object(await ask('createTask', { body: { ...post, priority: 'HIGH' } }));
      const next = Object(await ask('createTask', { body: { ...post, priority: 'HIGH' } }));
      told();
      for (const { id } of [next, low, high]) {
        const { state } = Object(await ask('deleteTask', { params: { id } }));
        assert.equal(state, 'ended');
        await refused('deleteTask', 'not_found', { params: { id } });
      }
      assert.deepEqual(told(), [`voice/stop {"id":"${low.id}"}`, `voice/stop {"id":"${high.id}"}`]);
    });

    it('expire, coalesce by key, sing, greet and publish', async () => {
      const { ask, clock, told, chart } = setUp();
      await ask('createTask', { body: { activity: 'sing', args: { song: 'thriller' }, priority: 'URGENT' } });
      assert.equal(chart.state, 'Sing');
      const one = Object(await ask('createTask', { body: { ...post, ttl_ms: 500, key: 'k' } }));
      const same = Object(await ask('createTask', { body: { ...post, key: 'k' } }));
      assert.equal(one.id, same.id);
      assert.equal(one.key, 'k');
      const other = Object(await ask('createTask', { body: { activity: 'greet', key: 'k' } }));
      assert.notEqual(other.id, one.id);
      await ask('deleteTask', { params: { id: other.id } });
      clock.advance(500);
      assert.equal(Object(await ask('getPriorities')).queue_size, 0);
      await ask('stopSong');
      await ask('createTask', { body: { activity: 'greet' } });
      assert.equal(chart.state, 'Track');
      told();
      await ask('createTask', {
        body: { activity: 'publish', priority: 1, args: { topic: 'motion/servo/pan/move', payload: { angle: 1 } } },
      });
      assert.deepEqual(told(), ['motion/servo/pan/move {"angle":1}']);
    });

    it('are refused with the place of what is wrong, and nothing starts', async () => {
      const { refused, states } = setUp();
      const deep: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
      const wrong: [object, ErrorCode, string][] = [
        [{ ...post, priority: 'SOON' }, 'invalid', '/priority'],
        [{ ...post, priority: 6 }, 'invalid', '/priority'],
        [{ ...post, ttl_ms: -1 }, 'invalid', '/ttl_ms'],
        [{ ...post, activity: 'dance' }, 'invalid', '/activity'],
        [{ activity: 'publish', args: { topic: 'motion/a', payload: deep } }, 'invalid', '/args/payload'],
        [{ ...post, args: {} }, 'invalid', '/args/text'],
        [{ ...post, args: { text: 'a', loud: true } }, 'invalid', '/args/loud'],
        [{ ...post, callback: 'x' }, 'invalid', '/callback'],
        [{ activity: 'sing', args: { song: 'nope' } }, 'not_allowed', '/args/song'],
        ...[
          'motion/\u0001a',
          'voice/a\nb',
          'orchestrator/state',
          'skull/mode',
          'motion/#',
          'motion/',
          'motion/estop',
          'x/motion/a',
        ].map((topic): [object, ErrorCode, string] => [
          { activity: 'publish', args: { topic, payload: 1 } },
          'not_allowed',
          '/args/topic',
        ]),
      ];
      for (const [body, code, place] of wrong) {
        const { issues } = await refused('createTask', code, { body });
        assert.ok(
          issues.some(({ path }) => path === place),
          `${place} not in ${JSON.stringify(issues)}`,
        );
      }
      assert.deepEqual(states, ['Idle']);
    });

    it('are refused under emergency stop, which empties the queue', async () => {
      const { ask, refused, send } = setUp();
      await ask('createTask', { body: post });
      await ask('createTask', { body: post });
      send('motion/estop', { active: true });
      await refused('createTask', 'estop', { body: post });
      const { state, current_task, queue_size } = Object(await ask('getPriorities'));
      assert.deepEqual([state.mode, current_task, queue_size], ['idle', null, 0]);
    });
  });
});
