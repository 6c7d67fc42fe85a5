/**
 * The whole host in a process of its own, for what only a real `http in` shows: Node-RED cannot be started twice in one.
 * Reads the environment, prints its address, and ends with its parent.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readEnvironment } from '../../runtime/env.ts';
import { Host } from '../../runtime/host.ts';

const home = mkdtempSync(path.join(tmpdir(), 'skull-rest-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());
mkdirSync(path.join(home, 'songs'));
writeFileSync(path.join(home, 'songs/thriller.mp3'), '');

const own = {
  SKULL_HOME: home,
  PORT: '0',
  MQTT_PORT: '0',
  SIMULATOR: 'false',
  SERVICE_MANAGER: 'simulated',
  EDITOR: 'false',
};
const { http } = await new Host(readEnvironment({ ...process.env, ...own })).start();
process.send?.(http);
process.stdout.write(`PORT ${new URL(http).port}\n`);
