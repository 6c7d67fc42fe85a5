import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Skull } from '../runtime/skull-process.ts';
import { EventFile, fact, numbers, seqs } from '../support/event-file.ts';

const READY = /API +(http:\S+)\/status[\s\S]*ready in \d+ ms\n/;
const mount = (...args: string[]) => spawnSync('mount', args).status === 0;

describe('the event log on a disk in trouble', function () {
  this.timeout(60_000);
  let home: string;
  let disk: string;

  beforeEach(function () {
    home = mkdtempSync(path.join(tmpdir(), 'skull-disk-'));
    disk = path.join(home, 'disk');
    mkdirSync(disk);
    if (mount('-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk)) return;
    const hint = 'needs root, to mount a small disk';
    assert.notEqual(process.env.CI, 'true', hint);
    if (this.currentTest) this.currentTest.title += ` (${hint})`;
    this.skip();
  });
  afterEach(() => {
    spawnSync('umount', ['-l', disk]);
    rmSync(home, { recursive: true });
  });

  /** Leaves no room. */
  function fill(): string {
    const filler = path.join(disk, 'filler');
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    return filler;
  }

  it('waits in memory while the disk is full, can be read, and is whole once there is room', async () => {
    const events = new EventFile(path.join('..', path.basename(home), 'disk/events.db'));
    const store = await events.open();
    for (const seq of numbers(1, 100)) store.keep(fact(seq));
    await store.flush();
    const filler = fill();
    for (const seq of numbers(101, 3000)) store.keep(fact(seq));
    await store.flush();
    assert.equal(store.check, 'down');
    assert.match(store.problems().join(), /^The event log \S+ cannot be used: database or disk is full\.$/);
    assert.deepEqual(await seqs(store), numbers(1, 3000));
    assert.deepEqual(await seqs(store, { first: 'newest', limit: 2990 }), numbers(3000, 11));
    events.clock.advance(15_000);
    await store.flush();
    assert.equal(events.logged('error').length, 1, 'said once');

    rmSync(filler);
    events.clock.advance(15_000);
    await store.flush();
    assert.deepEqual([store.check, store.problems()], ['ok', []]);
    assert.deepEqual(await seqs(store), numbers(1, 3000));
    await store.close();
    assert.deepEqual(events.ask('PRAGMA integrity_check'), ['ok']);
    assert.deepEqual(events.ask('SELECT count(*) FROM events'), [3000]);
    await events.remove();
  });

  it('begins once the disk can be written', async () => {
    assert.ok(mount('-o', 'remount,ro', disk));
    const events = new EventFile(path.join('..', path.basename(home), 'disk/events.db'));
    const store = await events.open();
    store.keep(fact(1));
    assert.match(store.problems().join(), /EROFS: read-only file system/);
    assert.ok(mount('-o', 'remount,rw', disk));
    const filler = fill();
    events.clock.advance(15_000);
    await store.flush();
    assert.match(store.problems().join(), /full|disk I\/O error/);
    rmSync(filler);
    events.clock.advance(15_000);
    await store.flush();
    assert.deepEqual([store.problems(), await seqs(store)], [[], [1]]);
    await events.remove();
  });

  it('degrades health, and the skull goes on', async () => {
    const own = {
      PORT: '0',
      MQTT_PORT: '0',
      EDITOR: 'false',
      SIMULATOR: 'false',
      DATABASE_URL: 'sqlite:disk/skull.db',
    };
    const skull = new Skull(['start'], { SKULL_HOME: home, ...own }, home);
    try {
      const [, base = ''] = await skull.says(READY);
      const post = async (place: string, body: object) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(base + place, { method: 'POST', headers, body: JSON.stringify(body) });
        return { status: answer.status, body: await answer.json() };
      };
      const health = async () => (await fetch(`${base}/health`)).json();
      fill();
      let last = await health();
      for (let n = 0; last.checks.database === 'ok' && n < 1000; n++) {
        assert.equal((await post('/mode', { state: n % 2 === 0 ? 'Accueil' : 'Idle' })).status, 200);
        last = await health();
      }
      assert.deepEqual([last.status, last.checks.database], ['degraded', 'down']);
      assert.match(last.problems.join(), /cannot be used: database or disk is full/);
      assert.deepEqual((await post('/estop', {})).body, { estop: true, state: 'Idle' });
      const { items } = await (await fetch(`${base}/events?limit=1`)).json();
      assert.equal(items[0].data.path, '/estop');
      skull.signal('SIGTERM');
      assert.equal((await skull.ended()).code, 0);
      assert.match(readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8'), /\d+ events could not be kept/);
    } finally {
      await skull.kill();
    }
  });
});
