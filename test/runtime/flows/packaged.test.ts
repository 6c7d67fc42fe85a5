import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installFlows } from '../../../runtime/flows/packaged.ts';

describe('the packaged flows', () => {
  let home: string;
  let packaged: string;
  let folder: string;

  const put = (where: string, name: string, text: string) => writeFileSync(path.join(where, name), text);
  const get = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  const names = () => readdirSync(folder).filter((name) => !name.startsWith('.'));
  const install = () => installFlows(packaged, folder);

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-packaged-'));
    packaged = path.join(home, 'packaged');
    folder = path.join(home, 'flows');
    mkdirSync(packaged);
    put(packaged, '010-a.json', '["a1"]');
    put(packaged, '020-b.json', '["b1"]');
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('are copied to a new folder, without a word', async () => {
    assert.deepEqual(await install(), []);
    assert.deepEqual(names(), ['010-a.json', '020-b.json']);
    assert.deepEqual(await install(), []);
  });

  it('replace what the user has not changed, and are put beside what the user has', async () => {
    await install();
    put(folder, '020-b.json', '["mine"]');
    put(packaged, '010-a.json', '["a2"]');
    put(packaged, '020-b.json', '["b2"]');
    put(packaged, '030-c.json', '["c2"]');
    const notices = await install();
    assert.equal(get('010-a.json'), '["a2"]');
    assert.equal(get('020-b.json'), '["mine"]');
    assert.equal(get('020-b.json.new'), '["b2"]');
    assert.equal(get('030-c.json'), '["c2"]');
    assert.equal(notices.filter((line) => line.includes('020-b.json.new')).length, 1);
    assert.deepEqual(await install(), []);
  });

  it('leave a changed file alone as long as they are the same', async () => {
    await install();
    put(folder, '020-b.json', '["mine"]');
    assert.deepEqual(await install(), []);
    assert.deepEqual(names(), ['010-a.json', '020-b.json']);
  });

  it('do not bring back a tab that the user removed', async () => {
    await install();
    rmSync(path.join(folder, '020-b.json'));
    assert.deepEqual(await install(), []);
    assert.deepEqual(names(), ['010-a.json']);
    put(packaged, '020-b.json', '["b2"]');
    await install();
    assert.deepEqual(names(), ['010-a.json', '020-b.json.new']);
  });

  it('take away what is no longer packaged, unless the user changed it', async () => {
    put(packaged, '030-c.json', '["c1"]');
    await install();
    put(folder, '030-c.json', '["mine"]');
    rmSync(path.join(packaged, '020-b.json'));
    rmSync(path.join(packaged, '030-c.json'));
    assert.equal((await install()).length, 1);
    assert.deepEqual(names(), ['010-a.json', '030-c.json']);
  });

  it('stay out of a folder of flows that are the user\u2019s own', async () => {
    mkdirSync(folder);
    put(folder, 'mine.json', '[]');
    assert.deepEqual(await install(), []);
    assert.deepEqual(names(), ['mine.json']);
    assert.deepEqual(await installFlows(packaged, packaged), []);
  });
});
