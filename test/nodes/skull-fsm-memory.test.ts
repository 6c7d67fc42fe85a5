import assert from 'node:assert/strict';
import { Memory } from '../../nodes/skull-fsm/memory.ts';
import { SimulatedClock } from '../support/clock.ts';
import { MemoryFolder } from '../support/folder.ts';

const definition = {
  id: 'x',
  initial: 'A',
  context: { latch: false, armed: true, n: 0, song: null },
  persist: ['latch', 'armed', 'n', 'song'],
  unreadable: { latch: true },
  states: { A: {} },
};
const ASIDE = 'fsm-node.json.broken-2026-01-01T00-00-00.000Z';

function memory(kept?: string) {
  const clock = new SimulatedClock();
  const folder = new MemoryFolder();
  if (kept !== undefined) folder.files.set('fsm-node.json', kept);
  const failed: string[] = [];
  const options = { clock, folder: () => folder, failed: (message: string) => void failed.push(message) };
  return { clock, folder, failed, memory: new Memory(definition, 'node', options) };
}
const settled = () => new Promise(setImmediate);
const onDisk = ({ files }: MemoryFolder) => JSON.parse(files.get('fsm-node.json') ?? 'null');

describe('the memory of a statechart', () => {
  it('gives back what was kept, and is content with a document that is not there', () => {
    const first = memory();
    assert.deepEqual([first.memory.load(), first.memory.problems()], [{}, []]);
    const kept = { latch: true, armed: false, n: 3, song: 'any type, for it begins with null' };
    const second = memory(JSON.stringify({ ...kept, alien: 1 }));
    assert.deepEqual([second.memory.load(), second.memory.problems()], [kept, []]);
    const older = memory('{"n":3}');
    assert.deepEqual([older.memory.load(), older.memory.problems()], [{ n: 3 }, []]);
  });

  for (const text of ['{"latch"', '', '[]', 'null', '5']) {
    it(`takes the safe values where the document is ${JSON.stringify(text)}, and keeps them`, async () => {
      const { memory: broken, folder, failed } = memory(text);
      assert.deepEqual(broken.load(), { latch: true });
      await settled();
      assert.equal(folder.files.get(ASIDE), text);
      assert.deepEqual(onDisk(folder), { latch: true, armed: true, n: 0, song: null }, 'for the next start');
      assert.equal(broken.problems().length, 1);
      assert.match(broken.problems()[0] ?? '', /fsm-node\.json was broken.*set aside as .*latch begins as true/);
      assert.deepEqual(failed, broken.problems());
    });
  }

  it('takes the safe value for a key of another type, and what was kept for the others', async () => {
    const { memory: broken, folder } = memory('{"latch":"off","armed":1,"n":7,"song":null}');
    assert.deepEqual(broken.load(), { latch: true, n: 7, song: null });
    await settled();
    assert.match(broken.problems()[0] ?? '', /latch, armed/);
    assert.deepEqual(onDisk(folder), { latch: true, armed: true, n: 7, song: null });
    assert.ok(folder.files.has(ASIDE));
  });

  it('names the broken document until its values were changed and written', async () => {
    const { memory: broken } = memory('{');
    const values = { ...definition.context, ...broken.load() };
    broken.save(values);
    await settled();
    assert.equal(broken.problems().length, 1);
    broken.save({ ...values, latch: false });
    await settled();
    assert.deepEqual(broken.problems(), []);
  });

  it('stays safe where the broken document can neither be set aside nor replaced', async () => {
    const { memory: broken, folder } = memory('{');
    folder.failure = new Error('EROFS');
    assert.deepEqual(broken.load(), { latch: true });
    await settled();
    assert.match(broken.problems()[0] ?? '', /left in place/);
    assert.equal(folder.files.get('fsm-node.json'), '{');
  });

  it('names a write that failed until it works again, and tries again by itself', async () => {
    const { memory: kept, folder, failed, clock } = memory();
    kept.load();
    folder.failure = new Error('EROFS: read-only file system');
    kept.save({ ...definition.context, latch: true });
    await settled();
    assert.match(kept.problems().join(), /fsm-node\.json could not be written \(EROFS/);
    clock.advance(10_000);
    await settled();
    assert.equal(failed.length, 1, 'told once');
    folder.failure = undefined;
    clock.advance(10_000);
    await settled();
    assert.deepEqual(kept.problems(), []);
    assert.equal(onDisk(folder).latch, true);
    assert.equal(clock.pending, 0);
  });

  it('lets go of what it would try again', async () => {
    const { memory: kept, folder, clock } = memory();
    kept.load();
    folder.failure = new Error('EROFS');
    kept.save({ ...definition.context, latch: true });
    await kept.close();
    await settled();
    assert.equal(clock.pending, 0);
  });
});
