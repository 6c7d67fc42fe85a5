import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { JsonFolder } from '../adapters/files/json-folder.ts';
import { VERSION } from '../adapters/files/package-root.ts';
import type { BrokerLink, BrokerLinkOptions, Clock, Log, PackPorts } from '../core/model/ports.ts';

export const systemClock: Clock = {
  now: Date.now,
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export const systemRandom = {
  /** 48 random bits. */
  id: (): string => randomUUID().slice(-12),
  next: Math.random,
};

export interface HostPorts {
  home: string;
  log: Log;
  connect: (options: BrokerLinkOptions) => BrokerLink;
}

/** The world as our nodes see it when this host runs them. */
export function hostPorts({ home, log, connect }: HostPorts): PackPorts {
  return {
    clock: systemClock,
    random: systemRandom,
    log,
    version: VERSION,
    home,
    connect,
    documents: (folder) => new JsonFolder(path.join(home, folder)),
    songs: () => readdir(path.join(home, 'songs')).catch(() => []),
  };
}
