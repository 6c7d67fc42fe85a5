import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

function run(happens: string, stopping: string): { status: number | null; lines: string[] } {
  const file = path.join(import.meta.dirname, 'ending.ts');
  const { status, stdout } = spawnSync(process.execPath, [file, happens, stopping], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

describe('the end of the process', () => {
  it('is clean after a signal', () => {
    assert.deepEqual(run('signal', 'well'), { status: 0, lines: ['Stopping on SIGINT.', 'flushed'] });
  });

  it('is clean, but a failure, after an error that nobody caught', () => {
    assert.deepEqual(run('throws', 'well'), { status: 1, lines: ['Uncaught: boom', 'flushed'] });
    assert.deepEqual(run('rejects', 'well'), { status: 1, lines: ['Uncaught: boom', 'flushed'] });
  });

  it('comes at once with a second signal, and when the stop fails', () => {
    assert.deepEqual(run('signals', 'never'), { status: 1, lines: ['Stopping on SIGTERM.', 'flushed'] });
    assert.deepEqual(run('signal', 'fails'), { status: 1, lines: ['Stopping on SIGINT.', 'flushed'] });
  });

  it('does not wait longer than it may', () => {
    const { status, lines } = run('signal', 'never');
    assert.equal(status, 1);
    assert.match(lines[1] ?? '', /^The stop took longer than \d+ ms and was cut short\.$/);
  });
});
