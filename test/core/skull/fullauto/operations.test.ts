import assert from 'node:assert/strict';
import { type ErrorCode, SkullError } from '../../../../core/model/errors.ts';
import { toProblem } from '../../../../core/model/problem.ts';
import { Character } from '../../../../core/skull/character.ts';
import { operationOf } from '../../../../core/skull/operations/index.ts';
import { assertDocumented } from '../../../support/answers.ts';
import { MemoryFolder } from '../../../support/folder.ts';
import { show } from '../../../support/fullauto.ts';
import { RecordingLink } from '../../../support/link.ts';
import { countingRandom, keepingLog, memoryEvents, TestMeter } from '../../../support/ports.ts';

async function conducted(options: Parameters<typeof show>[0] = {}) {
  const playing = await show(options).begin();
  const character = new Character(
    {
      clock: playing.clock,
      random: countingRandom(),
      log: keepingLog(),
      version: '1.2.3',
      home: '/home/skull',
      connect: () => new RecordingLink(),
      documents: () => new MemoryFolder(),
      services: undefined,
      events: memoryEvents(),
      metrics: undefined,
      meter: () => new TestMeter(),
      songs: playing.songs,
      stopping: new AbortController().signal,
    },
    new RecordingLink(),
  );
  const release = character.conduct(playing.fullauto);
  const run = async (id: string, body?: unknown) => {
    const operation = operationOf(id);
    assert.ok(operation, id);
    const request = { id: 'r1', role: 'editor', params: {}, query: {}, body } as const;
    try {
      const answer = await operation.run(request, character);
      assertDocumented(operation, operation.success.status, answer.body);
      return answer.body;
    } catch (error) {
      assert.ok(error instanceof SkullError, String(error));
      assertDocumented(operation, error.status, toProblem(error, '/x', 'r1'));
      throw error;
    }
  };
  const refused = (id: string, code: ErrorCode, body?: unknown) =>
    assert.rejects(run(id, body), (error: unknown) => error instanceof SkullError && error.code === code);
  return { ...playing, character, release, run, refused };
}

describe('operations of FullAuto', () => {
  it('run one cycle in any mode, and tell what it does', async () => {
    const { run, refused, pass, told } = await conducted({ mode: 'Idle', set: { ia_after_accueil: false } });
    assert.deepEqual(await run('testFullauto'), { cycle_id: 'cycle-1', steps: ['song', 'accueil'] });
    await pass(1);
    assert.deepEqual(told(), ['0 sing a']);
    await refused('testFullauto', 'busy', {});
    await refused('startNextSong', 'conflict');
  });

  it('start the next song in mode FullAuto', async () => {
    const { run, refused, pass, told } = await conducted();
    await refused('startNextSong', 'busy');
    await pass(100);
    told();
    assert.deepEqual(await run('startNextSong', {}), { cycle_id: 'cycle-2', steps: ['song', 'accueil', 'ia'] });
    await pass(1);
    assert.deepEqual(told(), ['100 step -', '100 sing b']);
  });

  it('refuse what cannot be: under emergency stop, nothing to do, a body with keys, no node', async () => {
    const { refused, mode, release } = await conducted({
      mode: 'Idle',
      names: [],
      set: { accueil_after_song: false, ia_after_accueil: false },
    });
    for (const id of ['testFullauto', 'startNextSong']) await refused(id, 'invalid', { now: true });
    await refused('testFullauto', 'not_allowed');
    mode('FullAuto', true);
    for (const id of ['testFullauto', 'startNextSong']) await refused(id, 'estop');
    release();
    for (const id of ['testFullauto', 'startNextSong']) await refused(id, 'unavailable');
  });

  it('are told of in the status', async () => {
    const { character, run, release } = await conducted({ set: { shuffle: false } });
    const { fullauto } = character.status();
    assert.deepEqual(fullauto, {
      enabled: true,
      next_song_at: '2026-01-01T00:05:00.000Z',
      step: 'song',
      cycle_id: 'cycle-1',
      held: false,
      upcoming: [
        { at: '2026-01-01T00:05:00.000Z', song: 'b' },
        { at: '2026-01-01T00:10:00.000Z', song: 'c' },
        { at: '2026-01-01T00:15:00.000Z', song: 'a' },
      ],
    });
    await run('getStatus');
    release();
    assert.equal(character.status().fullauto.enabled, false);
  });
});
