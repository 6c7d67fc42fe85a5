/**
 * A process with the REST flows in an embedded Node-RED behind our guard, and a skull that moves but has no broker. Reads
 * the environment as the host does; prints the port and ends with its parent. For tests of what only a real `http in` shows.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';
import type { Character } from '../../core/skull/character.ts';
import { DEFAULTS } from '../../core/skull/config/sections.ts';
import { Statechart } from '../../core/statechart/statechart.ts';
import { readEnvironment } from '../../runtime/env.ts';
import { readFlowFiles } from '../../runtime/flows/files.ts';
import { createHttpApp } from '../../runtime/http/app.ts';
import { coreNodesDir, embedNodeRed } from '../../runtime/node-red.ts';
import { nodeRedSettings } from '../../runtime/node-red-settings.ts';
import { hostPorts, systemClock, systemRandom } from '../../runtime/ports.ts';
import { RecordingLink } from './link.ts';
import { keepingLog } from './ports.ts';
import { skullDefinition } from './skull.ts';

const home = mkdtempSync(path.join(tmpdir(), 'skull-rest-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());
for (const folder of ['config', 'songs', 'data/node-red']) mkdirSync(path.join(home, folder), { recursive: true });
writeFileSync(path.join(home, 'data/node-red/package.json'), '{"name":"test","private":true}');
writeFileSync(path.join(home, 'songs/thriller.mp3'), '');

const env = readEnvironment({ ...process.env, SKULL_HOME: home, SIMULATOR: 'false', EDITOR: 'false' });
const files = readFlowFiles(path.join(PACKAGE_ROOT, 'flows')).filter(({ name }) => /rest|_global/.test(name));
const flows = files.flatMap(({ nodes }) => nodes);
const nothing = async () => {};
const log = { ...keepingLog(), debug: () => {}, info: () => {} };
const ports = hostPorts({ home, log, connect: () => new RecordingLink() });
const settings = nodeRedSettings({
  env,
  ports,
  storage: {
    init: nothing,
    getFlows: async () => flows,
    saveFlows: nothing,
    getCredentials: async () => ({}),
    saveCredentials: nothing,
    getSettings: async () => ({}),
    saveSettings: nothing,
    getSessions: async () => ({}),
    saveSessions: nothing,
    getLibraryEntry: async () => '',
    saveLibraryEntry: nothing,
  },
  usedTypes: new Set(flows.map(({ type }) => type)),
  credentialSecret: 'test',
  coreNodesDir: coreNodesDir(),
});
const server = createServer();
const nodeRed = await embedNodeRed(settings, server, false);
server.on('request', createHttpApp({ env, log, redHttpNode: nodeRed.httpNode, isReady: () => true }));
await nodeRed.start();

// HACK
import { createRequire } from 'node:module';

const rq = createRequire(createRequire(import.meta.url).resolve('node-red'));
const character: Character = rq('@node-red/runtime')._.nodes.getNode('skull').character;
const chart = new Statechart(skullDefinition().definition!, {
  clock: systemClock,
  random: systemRandom,
  config: () => character.config.all(),
});
chart.start();
character.embody(chart);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`PORT ${port}`);
});
