import assert from 'node:assert/strict';
import { type ErrorCode, SkullError } from '../../core/model/errors.ts';
import type { Metrics } from '../../core/model/metrics.ts';
import { toProblem } from '../../core/model/problem.ts';
import type { ServiceManager } from '../../core/model/service-manager.ts';
import { Character } from '../../core/skull/character.ts';
import { operationOf } from '../../core/skull/operations/index.ts';
import type { Answer, OperationRequest } from '../../core/skull/operations/operation.ts';
import { assertDocumented } from './answers.ts';
import { MemoryFolder } from './folder.ts';
import { RecordingLink } from './link.ts';
import { countingRandom, keepingLog, memoryEvents, TestMeter } from './ports.ts';
import { skull } from './skull.ts';
import { MemorySongs } from './songs.ts';

export type Given = Partial<OperationRequest>;

/** A character with a body and a lane, and its operations to be asked. */
export function setUp({
  songs = ['thriller', 'Noël – 2'],
  services = undefined as ServiceManager | undefined,
  metrics = undefined as Metrics | undefined,
} = {}) {
  const body = skull();
  const link = new RecordingLink();
  const folder = new MemoryFolder();
  const character = new Character(
    {
      clock: body.clock,
      random: countingRandom(),
      log: keepingLog(),
      version: '1.2.3',
      home: '/home/skull',
      connect: () => link,
      documents: () => folder,
      songs: new MemorySongs(songs),
      services,
      events: memoryEvents(),
      metrics,
      meter: () => new TestMeter(),
      stopping: new AbortController().signal,
    },
    link,
  );
  const release = character.embody(body.chart);
  character.arbitrate(body.lane);
  const operation = (id: string) => {
    const found = operationOf(id);
    assert.ok(found, id);
    return found;
  };
  /** Runs an operation; its answer has to be as documented. */
  const answer = async (id: string, given: Given = {}): Promise<Answer> => {
    const request = { id: 'r1', role: 'admin', params: {}, query: {}, body: undefined, ...given } as const;
    const answered = await operation(id).run(request, character);
    assertDocumented(operation(id), answered.status ?? operation(id).success.status, answered.body);
    return answered;
  };
  const ask = async (id: string, given: Given = {}) => (await answer(id, given)).body;
  /** Expects an operation to refuse, with an error that is documented for it. */
  const refused = async (id: string, code: ErrorCode, given: Given = {}): Promise<SkullError> => {
    const error: unknown = await answer(id, given).then(
      ({ body: unexpected }) => assert.fail(`${id} answered ${JSON.stringify(unexpected)}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof SkullError, String(error));
    assert.equal(error.code, code, error.message);
    assertDocumented(operation(id), error.status, toProblem(error, '/x', 'r1'));
    return error;
  };
  return { ...body, character, link, folder, release, answer, ask, refused };
}
