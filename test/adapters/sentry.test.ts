import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLog } from '../../adapters/telemetry/log.ts';
import { withSentry } from '../../adapters/telemetry/sentry.ts';
import { SimulatedClock } from '../support/clock.ts';
import { SentryIngest } from '../support/sentry-ingest.ts';

const SECRETS = ['hush-hush-key', 'p@ss"word'];

describe('Sentry', () => {
  let home: string;
  let ingest: SentryIngest;
  let clock: SimulatedClock;

  beforeEach(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-sentry-'));
    ingest = await SentryIngest.start();
    clock = new SimulatedClock();
  });
  afterEach(async () => {
    await ingest.close();
    rmSync(home, { recursive: true, force: true });
  });

  function open(dsn = ingest.dsn) {
    const log = openLog({ folder: path.join(home, 'logs'), level: 'info' });
    return withSentry(log, { dsn, environment: 'attic', release: '1.2.3', secrets: SECRETS, clock });
  }
  const lines = () => readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8').trimEnd().split('\n');

  it('is told of an error, with its stack, its cause, and where and in what it happened', async () => {
    const log = open();
    const error = new TypeError('broken', { cause: new Error('the reason') });
    log.error({ kind: 'rest', msg: 'GET /song 500', request_id: 'r-1', operation: 'listSongs', path: '/song', error });
    const [told] = await ingest.told();
    await log.close();
    assert.ok(told);
    const { environment, release, level, tags, extra, exception, server_name } = told;
    assert.deepEqual({ environment, release, level }, { environment: 'attic', release: '1.2.3', level: 'error' });
    assert.deepEqual(tags, { kind: 'rest', request_id: 'r-1', operation: 'listSongs' });
    assert.deepEqual(extra, { msg: 'GET /song 500', path: '/song' });
    assert.deepEqual(
      exception?.values.map(({ type, value }) => `${type}: ${value}`),
      ['Error: the reason', 'TypeError: broken'],
    );
    const frames = exception?.values.at(-1)?.stacktrace?.frames ?? [];
    assert.ok(frames.some(({ filename }) => filename?.endsWith('test/adapters/sentry.test.ts')));
    assert.equal(server_name, undefined);
    assert.match(ingest.urls[0] ?? '', /^\/api\/42\/envelope\/\?.*sentry_key=publickey/);
    assert.equal(lines().length, 1);
  });

  it('is told of a line without an error as a message, and of nothing but errors', async () => {
    const log = open();
    for (const level of ['debug', 'info', 'warn'] as const) log[level]({ kind: 'system', msg: level });
    log.error({ kind: 'config', msg: 'vision.json could not be written', section: 'vision' });
    await log.close();
    const told = await ingest.told();
    assert.deepEqual(
      told.map(({ message, extra, exception }) => [message, extra?.section, exception]),
      [['vision.json could not be written', 'vision', undefined]],
    );
  });

  it('never sees a secret', async () => {
    const log = open();
    log.error({
      kind: 'mqtt',
      msg: `no way to mqtt://me:letmein@broker with ${SECRETS[0]}`,
      password: 'open sesame',
      headers: { authorization: 'Bearer abc', 'x-api-key': 'def', cookie: 'ghi' },
      error: new Error(`refused ${SECRETS[1]} at https://user:letmein@host/x`, { cause: new Error(SECRETS[0]) }),
    });
    await log.close();
    const body = ingest.bodies.join();
    assert.match(body, /no way to mqtt:\/\/\[redacted\]@broker/);
    for (const secret of ['hush-hush', 'ss\\"word', 'ss\\\\"word', 'letmein', 'sesame', 'Bearer', '"def"', '"ghi"']) {
      assert.ok(!body.includes(secret), `${secret} in ${body}`);
    }
  });

  it('hears an error once, though it is logged twice, and thirty in a minute at most', async () => {
    const log = open();
    const error = new Error('twice');
    log.error({ kind: 'system', msg: 'first', error });
    log.error({ kind: 'system', msg: 'again', error });
    for (let n = 0; n < 100; n++) log.error({ kind: 'system', msg: `error ${n}` });
    assert.equal((await ingest.told(29)).length, 29);
    clock.advance(59_999);
    log.error({ kind: 'system', msg: 'too soon' });
    clock.advance(1);
    log.error({ kind: 'system', msg: 'late enough' });
    await log.close();
    const told = await ingest.told();
    assert.deepEqual([told.length, told.at(-1)?.message], [30, 'late enough']);
    assert.equal(lines().length, 104, 'the log has them all');
  });

  it('harms nobody where it cannot be reached, refuses, or is told nonsense', async () => {
    ingest.status = 403;
    const refused = open();
    for (const msg of ['a', 'b']) refused.error({ kind: 'system', msg });
    await ingest.told(2);
    await refused.close();
    const gone = await SentryIngest.start();
    const { dsn } = gone;
    await gone.close();
    const log = open(dsn);
    const circle: Record<string, unknown> = { big: 1n };
    circle.self = circle;
    const nasty = {
      get field(): string {
        throw new Error('no field');
      },
    };
    log.error({ kind: 'system', msg: 'circle', circle });
    log.error(Object.assign(nasty, { kind: 'system', msg: 'nasty' } as const));
    await log.close();
    const warnings = lines().filter((line) => JSON.parse(line).level === 'warn');
    assert.equal(warnings.length, 3, warnings.join('\n'));
    assert.match(warnings.join('\n'), /answers 403[\s\S]*cannot be told[\s\S]*ECONNREFUSED/);
  });

  it('is waited for when the log is closed, but not for long', async () => {
    ingest.status = undefined;
    const log = open();
    log.error({ kind: 'system', msg: 'the last words' });
    const startedAt = performance.now();
    await log.close();
    const took = performance.now() - startedAt;
    assert.ok(took > 1900 && took < 3000, `${took} ms`);
    assert.equal((await ingest.told())[0]?.message, 'the last words');
  });
});
