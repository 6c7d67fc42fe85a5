import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from './mosquitto.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface StockNodeRed {
  url: string;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

export interface StockOptions {
  userDir: string;
  flows?: readonly object[];
  /** Where nodes are taken from beside the user folder. */
  nodesDir?: string;
}

/** Node-RED as its own command line starts it, nothing of our host around it. Resolves once the flows run. */
export async function startStockNodeRed({ userDir, flows = [], nodesDir }: StockOptions): Promise<StockNodeRed> {
  const port = await freePort();
  mkdirSync(userDir, { recursive: true });
  writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(flows));
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    credentialSecret: false,
    nodesDir,
    editorTheme: { tours: false },
    externalModules: { palette: { allowInstall: false } },
    telemetry: { enabled: false, updateNotification: false },
  };
  const settingsFile = path.join(userDir, 'settings.js');
  writeFileSync(settingsFile, `module.exports = ${JSON.stringify(settings)};\n`);
  const cli = path.join(root, 'node_modules/node-red/red.js');
  const child = spawn(process.execPath, [cli, '--userDir', userDir, '--settings', settingsFile], {
    cwd: userDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Started flows')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    void ended.then(() => reject(new Error(`Node-RED ended before its flows ran:\n${output}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    output: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
