import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LineFile } from '../../adapters/telemetry/line-file.ts';
import { type FileLog, type LogOptions, openLog } from '../../adapters/telemetry/log.ts';

describe('the log', () => {
  let home: string;
  let stderr: string[];

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-log-'));
    stderr = [];
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const open = (options: Partial<LogOptions> = {}): FileLog =>
    openLog({
      folder: path.join(home, 'logs'),
      level: 'info',
      stderr: { write: (text) => stderr.push(text) },
      ...options,
    });
  const lines = (): Record<string, unknown>[] =>
    readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('writes one JSON line per entry, with time, level, kind and message', async () => {
    const log = open();
    log.info({ kind: 'transition', msg: 'Idle → Track', cause: 'vision/motion' });
    log.error({ kind: 'system', msg: 'broken\nin two', error: new Error('why') });
    await log.close();
    const [first, second] = lines();
    assert.ok(first && second);
    const { time, ...rest } = first;
    assert.deepEqual(rest, { level: 'info', kind: 'transition', msg: 'Idle → Track', cause: 'vision/motion' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(second.level, 'error');
    assert.match(String(second.error), /Error: why\n.*at /);
    assert.equal(lines().length, 2);
  });

  it('leaves out what is below its level', async () => {
    const log = open({ level: 'warn' });
    log.info({ kind: 'system', msg: 'no' });
    log.debug({ kind: 'system', msg: 'no' });
    log.warn({ kind: 'system', msg: 'yes' });
    await log.close();
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['yes'],
    );
  });

  it('hides secrets by their name, their place in a URL and their value, at any depth', async () => {
    const log = open({ secrets: ['open sesame'] });
    log.info({
      kind: 'rest',
      msg: 'connecting to mqtt://me:hush@broker with open sesame',
      headers: { 'X-API-Key': 'hush', Authorization: 'Bearer hush' },
      inner: [{ mqttPassword: 'hush', token: 'hush', max_tokens: 5 }],
    });
    await log.close();
    const text = readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8');
    assert.doesNotMatch(text, /hush|sesame/);
    assert.match(text, /max_tokens":5/);
    assert.match(text, /mqtt:\/\/\[redacted\]@broker/);
  });

  it('keeps the line when a field cannot be written as JSON', async () => {
    const log = open();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    log.info({ kind: 'system', msg: 'still here', loop, big: 1n });
    await log.close();
    assert.equal(lines()[0]?.msg, 'still here');
  });

  it('shows a terminal everything, and a pipe what is not in the daily course', async () => {
    const shown = { tty: '', pipe: '' };
    const tty = open({ terminal: { isTTY: true, write: (text) => (shown.tty += text) } });
    const pipe = open({ terminal: { write: (text) => (shown.pipe += text) } });
    for (const log of [tty, pipe]) {
      log.info({ kind: 'transition', msg: 'Idle → Track' });
      log.info({ kind: 'system', msg: 'Ready', port: 1 });
      log.warn({ kind: 'mqtt', msg: 'dropped \u001b[2J' });
    }
    await tty.close();
    await pipe.close();
    assert.match(shown.tty, /Idle → Track/);
    assert.doesNotMatch(shown.pipe, /Idle → Track/);
    assert.match(shown.pipe, /^\d\d:\d\d:\d\d\.\d{3} info {2}system {5}Ready port=1\n/);
    assert.match(shown.pipe, /warn {2}mqtt {7}dropped \n$/);
  });

  it('goes on when its folder cannot be written, says so once, and tells of it', async () => {
    writeFileSync(path.join(home, 'logs'), 'a file where the folder should be');
    const log = open();
    log.info({ kind: 'system', msg: 'one' });
    await log.flush();
    log.info({ kind: 'system', msg: 'two' });
    await log.flush();
    assert.equal(stderr.length, 1);
    assert.match(stderr[0] ?? '', /orchestrator\.log cannot be written: /);
    assert.equal(log.problems().length, 1);
    log.flushSync();
    await log.close();
  });

  it('writes what waits when the process ends at once', async () => {
    const log = open();
    log.info({ kind: 'system', msg: 'folder' });
    await log.flush();
    log.info({ kind: 'system', msg: 'last words' });
    log.flushSync();
    assert.deepEqual(
      lines().map(({ msg }) => msg),
      ['folder', 'last words'],
    );
    await log.close();
  });
});

describe('a file of lines', () => {
  const unexpected = () => assert.fail('must not be called');
  const never = { onProblem: unexpected, onLost: unexpected };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'skull-lines-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is rotated by size, and never more in all than its files may hold', async () => {
    const file = new LineFile({ path: path.join(folder, 'a.log'), maxBytes: 1000, keep: 2, ...never });
    for (let n = 0; n < 100; n++) {
      file.write(`${String(n).padStart(99, ' ')}\n`);
      if (n % 5 === 4) await file.flush();
    }
    await file.close();
    assert.deepEqual(readdirSync(folder).sort(), ['a.log', 'a.log.1', 'a.log.2']);
    for (const name of readdirSync(folder)) assert.ok(statSync(path.join(folder, name)).size <= 1000);
    const last = readFileSync(path.join(folder, 'a.log.1'), 'utf8') + readFileSync(path.join(folder, 'a.log'), 'utf8');
    assert.deepEqual(
      last.trimEnd().split('\n').map(Number),
      Array.from({ length: 20 }, (_, n) => 80 + n),
    );
  });

  it('writes a burst in few steps and in order, and counts what is too much to keep waiting', async () => {
    let lost = 0;
    const onLost = (lines: number) => {
      lost += lines;
    };
    const file = new LineFile({ path: path.join(folder, 'a.log'), ...never, onLost });
    for (let n = 0; n < 100_000; n++) file.write(`${String(n).padStart(99, '0')}\n`);
    await file.close();
    const kept = readFileSync(path.join(folder, 'a.log'), 'utf8').trimEnd().split('\n').map(Number);
    assert.equal(kept.length + lost, 100_000);
    assert.ok(lost > 0);
    assert.ok(kept.every((value, at) => value === at));
  });
});
