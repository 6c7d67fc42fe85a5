/**
 * The whole host, as it was built, in a process of its own, for what only a real `http in` shows: Node-RED cannot be
 * started twice in one. Reads the environment and the variables that it is given, tells its addresses, and ends with its parent.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';

/** Node-RED loads the built nodes; a host beside them from the sources would have classes of errors of its own. */
const built = (file: string): string => path.join(PACKAGE_ROOT, 'dist/runtime', file);
const { readEnvironment }: typeof import('../../runtime/env.ts') = await import(built('env.js'));
const { Host }: typeof import('../../runtime/host.ts') = await import(built('host.js'));

const { variables, held } = JSON.parse(process.argv[2] ?? '{}');
const home = mkdtempSync(path.join(tmpdir(), 'skull-rest-'));
// A write may be under way yet.
process.on('exit', () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
process.on('disconnect', () => process.exit());
mkdirSync(path.join(home, 'songs'));
writeFileSync(path.join(home, 'songs/thriller.mp3'), '');

/** Node-RED waits for a node whose module is not loaded yet: with this one the start stands still. */
const GATE = "module.exports = () => new Promise(() => process.send('held'));\n";
if (held) {
  const nodes = path.join(home, 'data/node-red/nodes');
  mkdirSync(nodes, { recursive: true });
  writeFileSync(path.join(nodes, 'gate.js'), GATE);
  writeFileSync(path.join(nodes, 'gate.html'), '');
}

const own = {
  SKULL_HOME: home,
  PORT: '0',
  MQTT_PORT: '0',
  SIMULATOR: 'false',
  SERVICE_MANAGER: 'simulated',
  EDITOR: 'false',
  ...variables,
};
const { http, mqtt } = await new Host(readEnvironment({ ...process.env, ...own })).start();
process.send?.({ http, mqtt, home });
