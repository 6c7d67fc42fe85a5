import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../../adapters/files/package-root.ts';
import type { FlowNode } from '../../../runtime/flows/files.ts';
import { type FlowStorage, flowStorage } from '../../../runtime/flows/storage.ts';

const shuffled = (nodes: FlowNode[]): FlowNode[] =>
  nodes
    .toReversed()
    .sort((a, b) => Number(b.type === 'tab') - Number(a.type === 'tab'))
    // As the editor sends them: other order of keys, and every object made anew.
    .map((node) => JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(node).toReversed()))));
const revision = (flows: FlowNode[]): string => createHash('sha256').update(JSON.stringify(flows)).digest('hex');
const tabsFirst = (nodes: FlowNode[]): FlowNode[] => shuffled(nodes).sort((a, b) => order(a) - order(b));
const order = (node: FlowNode): number => (node.type === 'tab' ? Number(node.place ?? 0) : 1e6);

describe('the flow storage', () => {
  let home: string;
  let flowsDir: string;
  let storage: FlowStorage;

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-flows-'));
    flowsDir = path.join(home, 'flows');
    storage = open();
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const open = () =>
    flowStorage({ flowsDir, userDir: path.join(home, 'node-red'), loadLibrary: () => assert.fail('not asked for') });
  const files = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(flowsDir)
        .sort()
        .map((name) => [name, readFileSync(path.join(flowsDir, name), 'utf8')]),
    );
  const tab = (id: string, label: string): FlowNode => ({ id, type: 'tab', label, disabled: false, info: '' });
  const node = (id: string, z: string): FlowNode => ({ id, type: 'change', z, name: '', x: 10, y: 20, wires: [[]] });

  it('writes the packaged flows back byte for byte when nothing has changed, whatever order the editor sends', async () => {
    cpSync(path.join(PACKAGE_ROOT, 'flows'), flowsDir, { recursive: true });
    const before = files();
    const inodes = Object.keys(before).map((name) => statSync(path.join(flowsDir, name)).ino);
    const flows = await storage.getFlows();
    const rank = new Map(flows.filter(({ type }) => type === 'tab').map(({ id }, at) => [id, at]));
    const sent = shuffled(flows).sort((a, b) => (rank.get(a.id) ?? 1e6) - (rank.get(b.id) ?? 1e6));
    await storage.saveFlows(sent);
    assert.deepEqual(files(), before);
    assert.deepEqual(
      Object.keys(before).map((name) => statSync(path.join(flowsDir, name)).ino),
      inodes,
    );
    assert.equal(revision(sent), revision(await open().getFlows()));
  });

  it('gives each tab, each subflow and the rest a file', async () => {
    const subflow = { id: 's', type: 'subflow', name: 'Blink twice', in: [], out: [] };
    const broker = { id: 'c', type: 'skull-character', name: 'Skull' };
    await storage.saveFlows([tab('t', 'Été & co'), subflow, broker, node('b', 't'), node('a', 't'), node('x', 's')]);
    assert.deepEqual(Object.keys(files()), ['010-ete-co.json', '_global.json', 'subflow-blink-twice-s.json']);
    const ids = JSON.parse(files()['010-ete-co.json'] ?? '').map(({ id }: FlowNode) => id);
    assert.deepEqual(ids, ['t', 'a', 'b']);
    assert.match(files()['_global.json'] ?? '', /^\[\n {2}\{\n {4}"id": "c",\n/);
  });

  it('makes a change in the editor a small diff', async () => {
    await storage.saveFlows([tab('t', 'One'), node('b', 't'), node('d', 't')]);
    const before = files()['010-one.json']?.split('\n') ?? [];
    const flows = await storage.getFlows();
    const changed = [...shuffled(flows.map((one) => (one.id === 'd' ? { ...one, x: 99 } : one))), node('c', 't')];
    await storage.saveFlows(changed);
    const after = files()['010-one.json']?.split('\n') ?? [];
    assert.deepEqual(
      after.filter((line) => !before.includes(line)),
      ['    "id": "c",', '    "x": 99,'],
    );
    assert.deepEqual(
      (await storage.getFlows()).map(({ id }) => id),
      ['t', 'b', 'c', 'd'],
    );
    assert.equal(revision(changed), revision(await open().getFlows()));
  });

  it('keeps a layout made by hand until something in the file changes', async () => {
    await storage.saveFlows([tab('t', 'One')]);
    const compact = '[{"id":"t","type":"tab","label":"One"}]';
    writeFileSync(path.join(flowsDir, '010-one.json'), compact);
    await storage.saveFlows([{ label: 'One', type: 'tab', id: 't' }]);
    assert.equal(files()['010-one.json'], compact);
  });

  it('keeps the file of a tab that gets another name, and removes the file of a tab that is gone', async () => {
    await storage.saveFlows([tab('t', 'One'), tab('u', 'Two')]);
    await storage.saveFlows([tab('u', 'Zwei')]);
    assert.deepEqual(Object.keys(files()), ['020-two.json']);
    assert.equal((await storage.getFlows())[0]?.label, 'Zwei');
  });

  it('keeps the order of the tabs', async () => {
    const [a, b, c] = [tab('a', 'A'), tab('b', 'B'), tab('c', 'C')];
    await storage.saveFlows([a, c]);
    await storage.saveFlows([a, b, c]);
    assert.deepEqual(Object.keys(files()), ['010-a.json', '015-b.json', '020-c.json']);
    await storage.saveFlows([c, a, b]);
    assert.deepEqual(Object.keys(files()), ['010-c.json', '020-a.json', '030-b.json']);
    assert.deepEqual(
      (await open().getFlows()).map(({ id }) => id),
      ['c', 'a', 'b'],
    );
    for (let n = 0; n < 12; n++) await storage.saveFlows([...(await storage.getFlows()), tab(`n${n}`, `N${n}`)]);
    assert.deepEqual(
      (await open().getFlows()).slice(0, 5).map(({ id }) => id),
      ['c', 'a', 'b', 'n0', 'n1'],
    );
  });

  it('spreads a file with several tabs, as an export has them', async () => {
    await storage.saveFlows([]);
    writeFileSync(
      path.join(flowsDir, 'flows.json'),
      JSON.stringify([tab('t', 'One'), tab('u', 'Two'), node('n', 'u')]),
    );
    const flows = tabsFirst(await storage.getFlows());
    await storage.saveFlows(flows);
    assert.equal(Object.keys(files()).length, 2);
    assert.equal(revision(flows), revision(await open().getFlows()));
  });

  it('names the file that is broken', async () => {
    await storage.saveFlows([tab('t', 'One')]);
    writeFileSync(path.join(flowsDir, '010-one.json'), '[{"id": "t",\n "type" "tab"}]');
    await assert.rejects(storage.getFlows(), /010-one\.json is not JSON: .*line 2/);
    writeFileSync(path.join(flowsDir, '010-one.json'), '[{"id": "t", "type": "tab"}, {"id": 5}]');
    await assert.rejects(storage.getFlows(), /010-one\.json is broken at \/1/);
  });

  it('keeps what Node-RED wants to remember in its own folder, unreadable for others', async () => {
    assert.deepEqual(await storage.getCredentials(), {});
    await storage.saveCredentials({ $: 'encrypted' });
    await storage.saveSettings({ nodes: {} });
    await storage.saveSessions({});
    assert.deepEqual(await open().getCredentials(), { $: 'encrypted' });
    assert.equal(existsSync(flowsDir), false);
    assert.equal(statSync(path.join(home, 'node-red/credentials.json')).mode & 0o077, 0);
  });
});
