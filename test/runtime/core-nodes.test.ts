import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CORE_NODES, excludedCoreNodes } from '../../runtime/core-nodes.ts';
import { coreNodesDir } from '../../runtime/node-red.ts';

describe("the list of Node-RED's own nodes", () => {
  it('is what Node-RED brings', () => {
    const core = path.join(coreNodesDir(), 'core');
    const names = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /^[a-z]+\/[^/]+\.html$/.test(name),
    );
    const found = names.map((name): [string, string[]] => {
      const types = readFileSync(path.join(core, name), 'utf8').matchAll(/data-template-name="([^"]+)"/g);
      const file = path.basename(name).replace('.html', '.js');
      return [file, file === '05-junction.js' ? ['junction'] : [...types].map(([, type = '']) => type)];
    });
    const sorted = (list: (readonly [string, readonly string[]])[]) =>
      Object.fromEntries(list.map(([file, types]) => [file, [...types].sort()]).sort());
    assert.deepEqual(sorted(Object.entries(CORE_NODES)), sorted(found));
  });

  it('leaves out what no flow uses, with an editor only the heavy ones', () => {
    const used = new Set(['http in', 'skull-fsm']);
    const headless = excludedCoreNodes(used, false);
    assert.equal(headless.includes('21-httpin.js'), false);
    assert.equal(headless.includes('20-inject.js'), true);
    assert.equal(headless.includes('21-httprequest.js'), true);
    const edited = excludedCoreNodes(used, true);
    assert.equal(edited.includes('20-inject.js'), false);
    assert.equal(edited.includes('21-httprequest.js'), true);
    assert.equal(excludedCoreNodes(new Set(['http request']), true).includes('21-httprequest.js'), false);
  });
});
