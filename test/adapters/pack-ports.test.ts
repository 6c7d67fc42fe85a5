import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packPorts } from '../../adapters/pack-ports.ts';
import { keepingLog } from '../support/ports.ts';

describe('the songs in the home folder', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-ports-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const songs = () => packPorts({ home, log: keepingLog(), connect: () => assert.fail() }).songs();

  it('are files, or links to files', async () => {
    const at = (name: string) => path.join(home, 'songs', name);
    mkdirSync(at('folder.mp3'), { recursive: true });
    writeFileSync(at('thriller.mp3'), '');
    symlinkSync(at('thriller.mp3'), at('link.mp3'));
    symlinkSync(at('folder.mp3'), at('folder-link.mp3'));
    symlinkSync(at('nowhere'), at('dangling.mp3'));
    assert.deepEqual((await songs()).sort(), ['link.mp3', 'thriller.mp3']);
  });

  it('are none where there is no folder', async () => {
    assert.deepEqual(await songs(), []);
  });
});
