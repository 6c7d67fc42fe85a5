import path from 'node:path';
import { connectMqtt } from '../adapters/broker/mqtt-link.ts';
import { packPorts } from '../adapters/pack-ports.ts';
import type { LogEntry, LogLevel, PackPorts } from '../core/model/ports.ts';

type NodeRedLog = Record<LogLevel, (message: string) => void>;

let ports: PackPorts | undefined;

/** What the nodes need when a stock Node-RED runs them: files below its user folder, MQTT by the nodes' own settings. */
export function stockPorts(userDir: string, log: NodeRedLog): PackPorts {
  const at =
    (level: LogLevel) =>
    ({ kind, msg }: LogEntry) =>
      log[level](`skull ${kind}: ${msg}`);
  ports ??= packPorts({
    home: path.join(userDir, 'skull'),
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    connect: connectMqtt,
    services: undefined,
  });
  return ports;
}
