import assert from 'node:assert/strict';
import path from 'node:path';
import { Children, Ended } from '../../adapters/songs/children.ts';

const script = path.join(import.meta.dirname, 'songs-child.ts');

describe('child processes that look at files', () => {
  let children: Children;
  const start = (silenceMs = 20_000) => {
    children = new Children('read', { script, silenceMs });
    return children;
  };
  afterEach(() => children.end());

  it('answer one after the other', async () => {
    start();
    const done: string[] = [];
    const run = (file: string) => children.run(file).then((answer) => done.push(String(answer)));
    await Promise.all([run('answers 1'), run('answers 2'), run('answers 3')]);
    assert.deepEqual(done, ['read answers 1', 'read answers 2', 'read answers 3']);
  });

  it('let what somebody waits for go first', async () => {
    start();
    const done: string[] = [];
    const run = (file: string) => children.run(file).then(() => done.push(file));
    const runs = [run('answers 1'), run('answers 2'), run('answers 3')];
    children.hurry('answers 3');
    children.hurry('unknown');
    await Promise.all(runs);
    assert.deepEqual(done, ['answers 1', 'answers 3', 'answers 2']);
  });

  it('do no harm when they crash, fail or hang', async () => {
    start(1500);
    const runs = ['crashes', 'fails', 'hangs', 'answers'].map((file) => children.run(file));
    const said = (await Promise.allSettled(runs)).map((run) =>
      run.status === 'fulfilled' ? run.value : run.reason.message,
    );
    assert.deepEqual(said, [
      'it ended with SIGSEGV',
      'it ended with 3',
      'it gave no sign of life for 1500 ms',
      'read answers',
    ]);
  });

  it('are ended with what they look at, running or waiting', async () => {
    start();
    const runs = [children.run('waits'), children.run('answers 1'), children.run('answers 2')];
    children.end('answers 1');
    children.end('waits');
    const [running, waiting, other] = await Promise.allSettled(runs);
    for (const run of [running, waiting]) assert.ok(run?.status === 'rejected' && run.reason instanceof Ended);
    assert.equal(other?.status === 'fulfilled' && other.value, 'read answers 2');
  });

  it('come last on the processor, and know nothing of our environment', async () => {
    start();
    process.env.SKULL_TEST_SECRET = 'secret';
    const [priority, names] = (await children.run('nice')) as [number, string[]];
    delete process.env.SKULL_TEST_SECRET;
    assert.ok(priority >= 10);
    assert.ok(!names.includes('SKULL_TEST_SECRET'));
  });
});
