import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { connectMqtt } from '../adapters/broker/mqtt-link.ts';
import { JsonFolder } from '../adapters/files/json-folder.ts';
import { VERSION } from '../adapters/files/package-root.ts';
import type { Log, LogEntry, PackPorts } from '../core/model/ports.ts';

type NodeRedLog = Record<'debug' | 'info' | 'warn' | 'error', (message: string) => void>;

let ports: PackPorts | undefined;

/** What the nodes need when a stock Node-RED runs them: files below its user folder, MQTT by the nodes' own settings. */
export function stockPorts(userDir: string, log: NodeRedLog): PackPorts {
  ports ??= create(path.join(userDir, 'skull'), log);
  return ports;
}

function create(home: string, nodeRedLog: NodeRedLog): PackPorts {
  const line = ({ kind, msg }: LogEntry) => `skull ${kind}: ${msg}`;
  const log: Log = {
    debug: (entry) => nodeRedLog.debug(line(entry)),
    info: (entry) => nodeRedLog.info(line(entry)),
    warn: (entry) => nodeRedLog.warn(line(entry)),
    error: (entry) => nodeRedLog.error(line(entry)),
  };
  return {
    clock: {
      now: Date.now,
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    },
    random: { id: randomUUID, next: Math.random },
    log,
    version: VERSION,
    home,
    connect: connectMqtt,
    documents: (folder) => new JsonFolder(path.join(home, folder)),
    songs: () => readdir(path.join(home, 'songs')).catch(() => []),
  };
}
