import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Skull } from './skull-process.ts';

const READY = /API +(http:\S+)\/status[\s\S]*ready in \d+ ms\n/;

describe('the event log of a running orchestrator', function () {
  this.timeout(30_000);
  let home: string;
  let skull: Skull;
  let base: string;

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-log-'));
  });
  afterEach(async () => {
    await skull?.kill();
    rmSync(home, { recursive: true });
  });

  async function start(variables: Record<string, string> = {}): Promise<void> {
    const own = { SKULL_HOME: home, PORT: '0', MQTT_PORT: '0', SIMULATOR: 'false', EDITOR: 'false' };
    skull = new Skull(['start'], { ...own, ...variables }, home);
    base = (await skull.says(READY))[1] ?? '';
  }
  async function stop(): Promise<void> {
    skull.signal('SIGTERM');
    assert.equal((await skull.ended()).code, 0);
  }
  const ask = async (place: string, body?: unknown, headers: Record<string, string> = {}) => {
    const json = body !== undefined && { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(base + place, { ...json, headers: { 'content-type': 'application/json', ...headers } });
    return { status: answer.status, body: await answer.json() };
  };
  const events = async (query = '') => Object((await ask(`/events${query}`)).body).items;
  const log = () => readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8');

  it('shows what a command did, also after a restart, and goes on counting', async () => {
    await start();
    await ask('/mode', { state: 'Accueil' }, { 'x-request-id': 'the-command' });
    const [rest, transition] = await events();
    assert.deepEqual(
      [rest.kind, rest.subject, rest.cause, rest.data],
      ['rest', 'setMode', 'the-command', { method: 'POST', path: '/mode', status: 200 }],
    );
    assert.deepEqual([transition.kind, transition.seq, transition.data.mode], ['transition', rest.seq - 1, 'Accueil']);
    assert.deepEqual(await events('?cause=the-command'), [rest]);
    assert.equal((await ask('/health')).body.checks.database, 'ok');
    const before = await events('?limit=500');
    await stop();
    assert.equal(existsSync(path.join(home, 'data/orchestrator.db-wal')), false);

    await start();
    const after = (await events('?limit=500')).toReversed();
    const kept = before.toReversed();
    assert.deepEqual(after.slice(0, kept.length), kept);
    assert.ok(after.length > kept.length);
    assert.deepEqual(
      after.map(({ seq }: { seq: number }) => seq),
      after.map((_: unknown, n: number) => n + 1),
    );
    const inParis = await ask('/events?limit=1', undefined, { 'x-timezone': 'Europe/Paris' });
    assert.match(inParis.body.items[0].time, /\+0[12]:00$/);
  });

  it('goes where DATABASE_URL says', async () => {
    mkdirSync(path.join(home, 'else where'));
    await start({ DATABASE_URL: 'sqlite:else where/skull.db' });
    assert.ok((await events()).length > 0);
    await stop();
    assert.ok(existsSync(path.join(home, 'else where/skull.db')));
    assert.equal(existsSync(path.join(home, 'data/orchestrator.db')), false);
  });

  it('stays where it was with PostgreSQL, and says so', async () => {
    await start({ DATABASE_URL: 'postgresql+asyncpg://me:hush@db/skull' });
    assert.ok((await events()).length > 0);
    assert.match(
      log(),
      /DATABASE_URL names PostgreSQL, which is of no use yet: events are kept in \S+orchestrator\.db/,
    );
    assert.doesNotMatch(log(), /hush/);
  });

  it('degrades health, not the skull, where its file cannot be used', async () => {
    writeFileSync(path.join(home, 'blocked'), '');
    await start({ DATABASE_URL: 'sqlite:blocked/skull.db' });
    assert.deepEqual(await ask('/mode', { state: 'Accueil' }), { status: 200, body: { mode: 'Accueil' } });
    assert.deepEqual(await ask('/estop', { active: true }), { status: 200, body: { estop: true, state: 'Idle' } });
    const { status, body } = await ask('/health');
    assert.deepEqual([status, body.status, body.checks.database], [200, 'degraded', 'down']);
    assert.match(body.problems.join(), /^The event log \S+blocked\/skull\.db cannot be used: ENOTDIR/);
    const refused = await ask('/events');
    assert.deepEqual([refused.status, refused.body.title], [503, 'A needed component is down']);
    assert.equal(log().match(/cannot be used: ENOTDIR/g)?.length, 1);
    await stop();
  });
});
