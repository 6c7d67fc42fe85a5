import assert from 'node:assert/strict';
import { type ErrorCode, SkullError } from '../../../../core/model/errors.ts';
import { SimulatedClock } from '../../../support/clock.ts';
import { MemoryFolder } from '../../../support/folder.ts';
import { show } from '../../../support/fullauto.ts';

const begin = (options: Parameters<typeof show>[0] = {}) => show(options).begin();
const SONG_ONLY = { accueil_after_song: false, ia_after_accueil: false };
const songsIn = (lines: string[]) => lines.filter((line) => line.includes(' sing '));

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error: unknown) => error instanceof SkullError && error.code === code);
}

describe('FullAuto', () => {
  describe('its loop', () => {
    it('is a song, a time for greetings, a time for conversations, and round again from start to start', async () => {
      const { pass, told } = await begin();
      await pass(450);
      assert.deepEqual(told(), [
        '0 sing a',
        '60 step accueil',
        '90 step ia',
        '150 step -',
        '300 sing b',
        '360 step accueil',
        '390 step ia',
        '450 step -',
      ]);
    });

    it('claims the body as anybody does', async () => {
      const { lane } = await begin({ set: { interval_song_ms: 90_000 } });
      const [song] = lane.running;
      assert.equal(song?.kind, 'sing');
      assert.equal(song.id, 'cycle-1');
      assert.equal(song.priority, 'LOW');
      assert.equal(song.key, 'fullauto');
      assert.equal(song.cause, 'fullauto');
      assert.equal(song.interruptible, true);
      assert.deepEqual(song.args, { song: 'a', path: '/home/skull/songs/a.mp3', duration_ms: 60_000 });
    });

    it('ends a step with the first greeting and the first conversation that is completed', async () => {
      const { pass, told, visit, lane } = await begin();
      await pass(61);
      visit('greet', 2000);
      lane.cancel({});
      visit('converse', 2000);
      await pass(2);
      assert.deepEqual(told().slice(1), ['60 step accueil', '61 greet greet', '61 converse converse']);
      visit('greet', 2000);
      await pass(2);
      visit('converse', 3000);
      await pass(3);
      assert.deepEqual(told(), ['63 greet greet', '65 step ia', '65 converse converse', '68 step -']);
    });

    it('leaves a greeting alone that lasts longer than its step; the next song waits for it', async () => {
      const { pass, told, visit, next } = await begin({ set: { interval_song_ms: 100_000, ia_after_accueil: false } });
      await pass(89);
      visit('greet', 20_000);
      await pass(21);
      assert.deepEqual(told().slice(2), ['89 greet greet', '90 step -', '109 sing b']);
      assert.equal(next(), 200);
    });

    it('has the steps that are asked for', async () => {
      const only = async (set: object) => {
        const { pass, told } = await begin({ set });
        await pass(170);
        return told().slice(1);
      };
      assert.deepEqual(await only(SONG_ONLY), []);
      assert.deepEqual(await only({ ia_after_accueil: false }), ['60 step accueil', '90 step -']);
      assert.deepEqual(await only({ accueil_after_song: false }), ['60 step ia', '120 step -']);
    });

    it('does not pile up songs that are late, and does not cut a cycle short', async () => {
      const { pass, told } = await begin({ set: { interval_song_ms: 2000, accueil_step_ms: 1000, ia_step_ms: 1000 } });
      await pass(190);
      assert.deepEqual(songsIn(told()), ['0 sing a', '62 sing b', '124 sing c', '186 sing a']);
    });

    it('counts from when the song really started, once that is known', async () => {
      const { lane, fullauto, mode, pass, next } = show();
      lane.claim({ kind: 'say', priority: 'HIGH', args: { duration_ms: 10_000 } });
      fullauto.start();
      mode('FullAuto');
      await pass(69);
      assert.equal(next(), 300);
      await pass(1);
      assert.equal(next(), 310);
    });

    it('goes on to the next step when the body was never free', async () => {
      const { lane, fullauto, mode, pass, told } = show({ set: { interval_song_ms: 20_000 } });
      lane.claim({ kind: 'say', priority: 'HIGH', args: { duration_ms: 90_000 } });
      fullauto.start();
      mode('FullAuto');
      await pass(60);
      assert.deepEqual(
        told(),
        ['0 say say', '0 step -', '60 step accueil'],
        'a minute, though the interval is shorter',
      );
    });

    it('goes on to the next step when it never hears of the end of its song', async () => {
      const { pass, told, fullauto } = await begin();
      fullauto.done = () => undefined;
      await pass(300 + 60 + 60);
      assert.deepEqual(told().slice(-1), ['420 step accueil']);
    });

    it('skips the song where there is none, and says so', async () => {
      const { pass, told, log, events } = await begin({ names: [] });
      await pass(301);
      assert.deepEqual(told(), ['0 step accueil', '30 step ia', '90 step -', '300 step accueil']);
      assert.equal(log.entries.filter(({ level }) => level === 'warn').length, 2);
      assert.deepEqual(
        events.filter(({ cause }) => cause === 'no song').map(({ data }) => [data.phase, data.step]),
        [
          ['step', 'accueil'],
          ['step', 'accueil'],
        ],
      );
    });

    it('goes on when the songs cannot be read, and when one is gone in between', async () => {
      const { fullauto, settle, mode, told, log, songs } = show();
      songs.list = () => Promise.reject(new Error('unreadable'));
      fullauto.start();
      mode('FullAuto');
      await settle();
      assert.deepEqual(told().slice(-1), ['0 step accueil']);
      assert.ok(log.entries.some(({ level, msg }) => level === 'error' && msg.includes('unreadable')));

      const gone = show();
      const { find } = gone.songs;
      gone.songs.find = async (name) => (name === 'a' ? undefined : find.call(gone.songs, name));
      await gone.begin();
      assert.deepEqual(gone.told(), ['0 sing b']);
    });
  });

  describe('the mode', () => {
    it('lets nothing happen in another mode', async () => {
      const { pass, told, fullauto, clock } = await begin({ mode: 'Accueil' });
      await pass(600);
      assert.deepEqual(told(), []);
      assert.equal(clock.pending, 0);
      const { enabled, next_song_at, upcoming } = fullauto.status();
      assert.deepEqual({ enabled, next_song_at, upcoming }, { enabled: false, next_song_at: null, upcoming: [] });
    });

    it('ends the cycle when it changes, withdraws the claim and says so to the statechart', async () => {
      const { pass, told, mode, lane, clock } = await begin();
      mode('Idle');
      assert.deepEqual(told(), ['0 sing a', '0 cancel cycle-1']);
      assert.equal(lane.running.length, 0);
      await pass(400);
      mode('FullAuto');
      await pass(61);
      mode('Chanson');
      assert.deepEqual(told(), ['400 sing b', '460 step accueil', '461 step -']);
      assert.equal(clock.pending, 0);
    });

    it('does not sing when it changes while the song is looked for', async () => {
      const { fullauto, mode, settle, told, lane } = show();
      fullauto.start();
      mode('FullAuto');
      mode('Idle');
      await settle();
      assert.deepEqual(told(), ['0 step -', '0 cancel cycle-1']);
      assert.equal(lane.running.length, 0);
    });

    it('waits for the next time when it comes back before that, else starts at once', async () => {
      const { pass, told, mode } = await begin();
      await pass(100);
      mode('Idle');
      await pass(100);
      mode('FullAuto');
      await pass(100);
      assert.deepEqual(songsIn(told()), ['0 sing a', '300 sing b']);
      mode('Idle');
      await pass(400);
      mode('FullAuto');
      await pass(1);
      assert.deepEqual(songsIn(told()), ['700 sing c']);
    });

    it('is what the statechart says, though a message tells an older one', async () => {
      const { fullauto, body, mode, settle, told } = show();
      body.situation = { mode: 'FullAuto', estop: true };
      fullauto.start();
      mode('FullAuto');
      await settle();
      assert.deepEqual(told(), ['0 step -']);
      body.situation = { mode: 'FullAuto', estop: false };
      mode('FullAuto', true);
      await settle();
      mode('Idle', true);
      assert.deepEqual(told(), ['0 sing a']);
      assert.equal(fullauto.status().step, 'song');
    });
  });

  describe('an emergency stop', () => {
    it('ends the cycle at once; after it the next song comes when it is due', async () => {
      const { pass, told, mode, lane, fullauto } = await begin();
      await pass(70);
      mode('FullAuto', true);
      assert.deepEqual(told().slice(1), ['60 step accueil', '70 step -']);
      assert.deepEqual(fullauto.status().next_song_at, null);
      await pass(100);
      mode('FullAuto');
      await pass(131);
      assert.deepEqual(told(), ['300 sing b']);
      mode('FullAuto', true);
      lane.lock();
      await pass(500);
      lane.unlock();
      mode('FullAuto');
      await pass(1);
      assert.deepEqual(told(), ['801 sing c']);
    });

    it('is seen before anything follows the song that it ended', async () => {
      const { body, told, lane, pass, fullauto } = show();
      body.situation = { mode: 'FullAuto', estop: false };
      fullauto.start();
      await pass(10);
      body.situation = { mode: 'FullAuto', estop: true };
      lane.lock();
      assert.deepEqual(told(), ['0 step -', '0 sing a']);
      assert.equal(fullauto.status().cycle_id, null);
    });

    it('lets nothing be started by hand', async () => {
      const { fullauto, mode } = await begin();
      mode('FullAuto', true);
      await refused(fullauto.testOnce(), 'estop');
      await refused(fullauto.next(), 'estop');
    });

    it('that is pressed while songs are looked for keeps the cycle from beginning', async () => {
      const { fullauto, mode, told } = await begin({ mode: 'Idle' });
      const test = fullauto.testOnce();
      mode('Idle', true);
      await refused(test, 'estop');
      assert.deepEqual(told(), []);
    });
  });

  describe('its configuration', () => {
    it('moves the next song at once, from the start of the last one', async () => {
      const { pass, told, set, next } = await begin({ set: SONG_ONLY });
      await pass(100);
      set({ interval_song_ms: 200_000 });
      assert.equal(next(), 200);
      set({ interval_song_ms: 400_000 });
      assert.equal(next(), 400);
      await pass(150);
      assert.deepEqual(songsIn(told()), ['0 sing a']);
      set({ interval_song_ms: 240_000 });
      await pass(1);
      assert.deepEqual(songsIn(told()), ['250 sing b']);
    });

    it('ends a step that is switched off or shortened', async () => {
      const { pass, told, set } = await begin();
      await pass(70);
      set({ accueil_after_song: false });
      assert.deepEqual(told().slice(1), ['60 step accueil', '70 step ia']);
      await pass(10);
      set({ ia_step_ms: 15_000 });
      await pass(5);
      assert.deepEqual(told(), ['85 step -']);
    });

    it('holds: what runs goes on, nothing new starts, and what was due starts when the hold is over', async () => {
      const { pass, told, set, next, fullauto } = await begin();
      set({ hold: true });
      assert.equal(next(), null);
      await pass(400);
      assert.deepEqual(told(), ['0 sing a', '60 step accueil', '90 step ia', '150 step -']);
      const { held, enabled, upcoming } = fullauto.status();
      assert.deepEqual({ held, enabled, upcoming }, { held: true, enabled: true, upcoming: [] });
      set({ hold: false });
      await pass(1);
      assert.deepEqual(told(), ['400 sing b']);
    });

    it('keeps quiet hours: a song that is due in them starts at their end', async () => {
      const clock = new SimulatedClock(Date.parse('2026-10-24T19:53:00Z'));
      const quiet_hours = { from: '22:00', to: '08:00', timezone: 'Europe/Paris' };
      const { pass, told, fullauto } = await begin({ clock, set: { ...SONG_ONLY, quiet_hours } });
      assert.deepEqual(
        fullauto.status().upcoming.map(({ at }) => at),
        ['2026-10-24T19:58:00.000Z', '2026-10-25T07:00:00.000Z', '2026-10-25T07:05:00.000Z'],
      );
      const morning = 300 + (11 * 60 + 2) * 60;
      await pass(morning - 1);
      assert.deepEqual(songsIn(told()), ['0 sing a', '300 sing b']);
      await pass(302);
      assert.deepEqual(songsIn(told()), [`${morning} sing c`, `${morning + 300} sing a`]);
    });

    it('keeps quiet hours when the hold is taken back in them', async () => {
      const quiet_hours = { from: '00:10', to: '01:00', timezone: 'UTC' };
      const { pass, told, set, next } = await begin({ set: { ...SONG_ONLY, quiet_hours } });
      set({ hold: true });
      await pass(900);
      set({ hold: false });
      assert.equal(next(), 3600);
      await pass(100);
      assert.deepEqual(songsIn(told()), ['0 sing a']);
    });

    it('plays in the order of names, or shuffled', async () => {
      const { pass, told, set, fullauto } = await begin({ set: { ...SONG_ONLY, interval_song_ms: 100_000 } });
      await pass(350);
      assert.deepEqual(songsIn(told()), ['0 sing a', '100 sing b', '200 sing c', '300 sing a']);
      assert.deepEqual(
        fullauto.status().upcoming.map(({ song }) => song),
        ['b', 'c', 'a'],
      );
      set({ shuffle: true });
      const coming = fullauto.status().upcoming.flatMap(({ song }) => song ?? []);
      await pass(100 * coming.length);
      assert.deepEqual(
        songsIn(told()),
        coming.map((name, index) => `${400 + index * 100} sing ${name}`),
      );
    });
  });

  describe('by hand', () => {
    it('starts the next song now, on hold and in quiet hours too, and counts from there', async () => {
      const quiet_hours = { from: '00:00', to: '12:00', timezone: 'UTC' };
      const { fullauto, pass, told, next, set } = await begin({ set: { quiet_hours, hold: true } });
      await pass(10);
      assert.deepEqual(told(), []);
      assert.deepEqual(await fullauto.next(), { cycle_id: 'cycle-1', steps: ['song', 'accueil', 'ia'] });
      await pass(1);
      assert.deepEqual(told(), ['10 sing a']);
      set({ quiet_hours: null, hold: false });
      assert.equal(next(), 310);
      await refused(fullauto.next(), 'busy');
      await pass(60);
      await fullauto.next();
      await pass(1);
      assert.deepEqual(told(), ['70 step accueil', '71 step -', '71 sing b']);
      assert.equal(next(), 371);
    });

    it('starts no next song in another mode, nor where there is none', async () => {
      const { fullauto, mode } = await begin({ mode: 'Chanson', names: [] });
      await refused(fullauto.next(), 'conflict');
      mode('FullAuto');
      await refused(fullauto.next(), 'busy');
    });

    it('starts no next song where there is none', async () => {
      const { fullauto } = await begin({ names: [], set: SONG_ONLY });
      await refused(fullauto.next(), 'not_allowed');
    });

    it('runs one whole cycle in any mode, and no more', async () => {
      const { fullauto, pass, told, next, mode } = await begin({ mode: 'Accueil' });
      assert.deepEqual(await fullauto.testOnce(), { cycle_id: 'cycle-1', steps: ['song', 'accueil', 'ia'] });
      assert.deepEqual([fullauto.status().step, fullauto.status().cycle_id], ['song', 'cycle-1']);
      await pass(10);
      await refused(fullauto.testOnce(), 'busy');
      await pass(190);
      assert.deepEqual(told(), ['0 sing a', '60 step accueil', '90 step ia', '150 step -']);
      assert.equal(next(), null);
      mode('FullAuto');
      await pass(1);
      assert.deepEqual(told(), ['200 sing b'], 'a test in another mode is no song of FullAuto');
    });

    it('counts a test as a cycle in mode FullAuto', async () => {
      const { fullauto, pass, next, told } = await begin();
      await pass(200);
      told();
      assert.deepEqual(await fullauto.testOnce(), { cycle_id: 'cycle-2', steps: ['song', 'accueil', 'ia'] });
      await pass(1);
      assert.deepEqual(told(), ['200 sing b']);
      assert.equal(next(), 500);
    });

    it('tells what a test will do: no song where there is none; and refuses one of nothing', async () => {
      const { fullauto, set, pass, told, mode } = await begin({
        mode: 'Idle',
        names: [],
        set: { ia_after_accueil: false },
      });
      assert.deepEqual((await fullauto.testOnce()).steps, ['accueil']);
      await pass(1);
      assert.deepEqual(told(), ['0 step accueil']);
      mode('IA');
      assert.deepEqual(told(), ['1 step -'], 'another mode ends it');
      set(SONG_ONLY);
      await refused(fullauto.testOnce(), 'not_allowed');
    });
  });

  describe('over a restart', () => {
    it('keeps the next time, and where it is among the songs', async () => {
      const folder = new MemoryFolder();
      const before = await begin({ folder });
      await before.pass(100);
      await before.fullauto.stop();
      assert.equal(before.clock.pending, 0);
      before.clock.advance(50_000);
      const after = await begin({ folder, clock: before.clock });
      assert.equal(after.next(), 150);
      await after.pass(151);
      assert.deepEqual(songsIn(after.told()), ['150 sing b']);
    });

    it('starts at once when the next time has passed', async () => {
      const folder = new MemoryFolder();
      const before = await begin({ folder });
      await before.fullauto.stop();
      const after = await begin({ folder, clock: new SimulatedClock(before.clock.now() + 86_400_000) });
      assert.deepEqual(after.told(), ['0 sing b']);
    });

    it('waits for one interval at most where the clock has gone back', async () => {
      const folder = new MemoryFolder();
      const before = await begin({ folder });
      await before.fullauto.stop();
      const after = await begin({ folder, clock: new SimulatedClock(60_000) });
      assert.equal(after.next(), 300);
      await after.pass(301);
      assert.deepEqual(songsIn(after.told()), ['300 sing b']);
    });

    it('sets a broken document aside and begins anew', async () => {
      for (const text of ['{', '[]', '{"last_start":"yesterday","bag":[],"played":[],"last_song":null}']) {
        const folder = new MemoryFolder();
        folder.files.set('fullauto.json', text);
        const { told, log } = await begin({ folder });
        assert.deepEqual(told(), ['0 sing a']);
        assert.ok(
          [...folder.files.keys()].some((name) => name.startsWith('fullauto.json.broken-')),
          text,
        );
        assert.ok(log.entries.some(({ level }) => level === 'warn'));
      }
    });

    it('goes on without a disk', async () => {
      const folder = new MemoryFolder();
      folder.failure = new Error('disk full');
      const { pass, told, log } = await begin({ folder });
      await pass(301);
      assert.equal(songsIn(told()).length, 2);
      assert.ok(log.entries.some(({ level, msg }) => level === 'error' && msg.includes('disk full')));
    });
  });

  describe('a clock', () => {
    /** The clock is set anew; timers follow the time that really passes. */
    const setClock = (clock: SimulatedClock, ms: number) => {
      const { now } = clock;
      let offset = 0;
      clock.now = () => now.call(clock) + offset;
      offset = ms;
    };

    it('that is put right by years makes a song due within a minute', async () => {
      const { pass, told, clock } = await begin({
        clock: new SimulatedClock(0),
        set: { ...SONG_ONLY, interval_song_ms: 86_400_000 },
      });
      await pass(70);
      told();
      setClock(clock, 50 * 365 * 86_400_000);
      await pass(60);
      assert.equal(told().length, 1);
    });

    it('that is set back lets no step and no song wait for longer than it was meant to', async () => {
      const { pass, told, clock } = await begin();
      await pass(70);
      told();
      setClock(clock, -86_400_000);
      await pass(60 + 30 + 60 + 300);
      assert.deepEqual(
        told().map((line) => line.replace(/^\S+ /, '')),
        ['step ia', 'step -', 'sing b', 'step accueil', 'step ia'],
      );
    });
  });

  describe('what it tells', () => {
    it('is each begin, step and end of a cycle, and each change of the next time', async () => {
      const { events, pass, set, mode } = await begin();
      await pass(301);
      set({ interval_song_ms: 600_000 });
      set({ shuffle: true });
      set({ hold: true });
      mode('Idle');
      const at = (seconds: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString();
      assert.deepEqual(
        events.map(({ cause, data }) => [data.phase, cause, data.step, data.cycle_id, data.next_song_at]),
        [
          ['started', 'schedule', 'song', 'cycle-1', at(300)],
          ['step', 'activity/done', 'accueil', 'cycle-1', at(300)],
          ['step', 'delay', 'ia', 'cycle-1', at(300)],
          ['ended', 'delay', null, 'cycle-1', at(300)],
          ['started', 'schedule', 'song', 'cycle-2', at(600)],
          ['planned', 'config', 'song', 'cycle-2', at(900)],
          ['planned', 'config', 'song', 'cycle-2', null],
          ['ended', 'mode', null, 'cycle-2', null],
        ],
      );
      for (const { kind, subject } of events) assert.deepEqual([kind, subject], ['activity', 'fullauto']);
    });

    it('does not include that time passes while a song is due', async () => {
      const { events, pass, fullauto } = await begin({ set: { interval_song_ms: 1000 } });
      for (let second = 0; second < 5; second++) {
        await pass(1);
        fullauto.configChanged();
      }
      assert.deepEqual(
        events.map(({ data }) => data.phase),
        ['started', 'planned'],
      );
    });
  });

  it('is handed over in the middle of a cycle', async () => {
    const { fullauto, pass } = await begin();
    await pass(70);
    await fullauto.stop();
    const { cycle } = fullauto;
    assert.deepEqual(cycle && { id: cycle.id, step: cycle.step }, { id: 'cycle-1', step: 'accueil' });
  });
});
