import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type StockNodeRed, startStockNodeRed } from '../support/stock-node-red.ts';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The clone's own npm, on the Node that runs this test. */
const npm = (cwd: string, ...args: string[]) =>
  run(process.execPath, [path.join(root, 'node_modules/npm/bin/npm-cli.js'), ...args], { cwd });

interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** The example of the statechart, and a route that sends it events. */
function exampleOverHttp(): FlowNode[] {
  const file = path.join(root, 'examples/Traffic light (skull fsm).json');
  const light = (JSON.parse(readFileSync(file, 'utf8')) as FlowNode[]).find(({ type }) => type === 'skull-fsm');
  assert.ok(light);
  const topic = { t: 'set', p: 'topic', pt: 'msg', to: 'req.query.event', tot: 'msg' };
  return [
    { id: 'tab', type: 'tab', label: 'Light' },
    { ...light, id: 'light', z: 'tab', wires: [[], [], []] },
    { id: 'ask', type: 'http in', z: 'tab', url: '/light', method: 'get', wires: [['event', 'answer']] },
    { id: 'event', type: 'change', z: 'tab', rules: [topic], wires: [['light']] },
    { id: 'answer', type: 'http response', z: 'tab', statusCode: '204', headers: {}, wires: [] },
  ];
}

describe('the pack in a stock Node-RED', function () {
  this.timeout(180_000);
  let folder: string;
  let userDir: string;
  let nodeRed: StockNodeRed;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'skull-pack-'));
    userDir = path.join(folder, 'user');
    mkdirSync(userDir);
    writeFileSync(path.join(userDir, 'package.json'), '{"name":"user","private":true}');
    await npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    assert.ok(tarball);
    await npm(
      userDir,
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      path.join(folder, tarball),
    );
    nodeRed = await startStockNodeRed({ userDir, flows: exampleOverHttp() });
  });

  after(async () => {
    await nodeRed?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const get = async (place: string, accept = 'application/json') => {
    const response = await fetch(nodeRed.url + place, { headers: { accept } });
    assert.equal(response.status, 200, place);
    return response;
  };

  it('holds what runs and what is read, and nothing else', () => {
    const installed = path.join(userDir, 'node_modules/@skull-orchestrator/node-red');
    for (const name of ['dist', 'examples', 'resources', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
      assert.ok(existsSync(path.join(installed, name)), name);
    }
    for (const name of ['test', 'core', 'nodes', 'bench', 'node_modules/node']) {
      assert.equal(existsSync(path.join(installed, name)), false, name);
    }
  });

  it('has every node in the palette, without an error', async () => {
    const sets = (await (await get('nodes')).json()) as { id: string; types: string[]; err?: string }[];
    const ours = sets.filter(({ id }) => id.startsWith('@skull-orchestrator/node-red/'));
    const pack = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      'node-red': { nodes: Record<string, string> };
    };
    assert.deepEqual(ours.flatMap(({ types }) => types).sort(), Object.keys(pack['node-red'].nodes).sort());
    assert.deepEqual(
      ours.flatMap(({ err }) => err ?? []),
      [],
    );
  });

  it('serves the editor what its nodes are made of', async () => {
    const html = await (await get('nodes', 'text/html')).text();
    const scripts = [...html.matchAll(/src="(resources\/@skull-orchestrator\/[^"]+)"/g)].flatMap(
      ([, src]) => src ?? [],
    );
    assert.ok(scripts.length > 0);
    for (const script of scripts) assert.match((await get(script)).headers.get('content-type') ?? '', /javascript/);
    for (const [, icon] of html.matchAll(/icon: '(skull-[\w-]+\.svg)'/g)) {
      await get(`icons/@skull-orchestrator/node-red/${icon}`, 'image/svg+xml');
    }
  });

  it('lists and gives its examples', async () => {
    const library = 'library/examples/flows/@skull-orchestrator/node-red/';
    const listed = (await (await get(library)).json()) as { fn: string }[];
    const files = readdirSync(path.join(root, 'examples')).sort();
    assert.deepEqual(listed.map(({ fn }) => `${fn}.json`).sort(), files);
    for (const { fn } of listed) {
      const flow: unknown = await (await get(library + encodeURIComponent(fn))).json();
      assert.ok(Array.isArray(flow), fn);
    }
  });

  it('runs a statechart without our host, and without a broker', async () => {
    const state = async () => ((await (await get('skull-fsm/state/light')).json()) as { state: string }).state;
    const send = (event: string) => fetch(`${nodeRed.url}light?event=${event}`);
    assert.match(await state(), /^(Red|Green)$/);
    await send('fault');
    assert.equal(await state(), 'Blinking');
    await send('repaired');
    assert.equal(await state(), 'Red');
  });
});
