import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packPorts } from '../../adapters/pack-ports.ts';
import { TONES } from '../support/mp3.ts';
import { keepingLog } from '../support/ports.ts';

describe('the ports of the pack', () => {
  it('find documents and songs in the home folder', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'skull-ports-'));
    const { documents, songs } = packPorts({
      home,
      log: keepingLog(),
      connect: () => assert.fail(),
      services: undefined,
    });
    await documents('data').save('x', 1);
    assert.equal(
      packPorts({ home, log: keepingLog(), connect: () => assert.fail(), services: undefined })
        .documents('data')
        .load('x'),
      1,
    );
    assert.deepEqual(await songs.list(), []);
    mkdirSync(path.join(home, 'songs'));
    copyFileSync(TONES, path.join(home, 'songs/tones.mp3'));
    assert.deepEqual(
      (await songs.list()).map(({ name }) => name),
      ['tones'],
    );
    rmSync(home, { recursive: true });
  });
});
