import path from 'node:path';
import { EventLog, RecentEvents } from '../core/model/event-log.ts';
import type { PackPorts } from '../core/model/ports.ts';
import { JsonFolder } from './files/json-folder.ts';
import { VERSION } from './files/package-root.ts';
import { SongFolder } from './songs/library.ts';
import { systemClock, systemRandom } from './system.ts';
import { measureProcess } from './telemetry/process-figures.ts';

/** The world as the nodes see it: the system's time and chance, files below `home`, and what is given. */
export function packPorts({
  home,
  log,
  connect,
  services,
  metrics,
  events = new EventLog(new RecentEvents(), log),
  stopping = new AbortController().signal,
}: Pick<PackPorts, 'home' | 'log' | 'connect' | 'services'> & {
  metrics?: PackPorts['metrics'];
  events?: EventLog;
  stopping?: AbortSignal;
}): PackPorts {
  const folders = {
    config: new JsonFolder(path.join(home, 'config')),
    data: new JsonFolder(path.join(home, 'data')),
  };
  return {
    clock: systemClock,
    random: systemRandom,
    log,
    version: VERSION,
    home,
    connect,
    documents: (folder) => folders[folder],
    songs: new SongFolder(path.join(home, 'songs'), log),
    meter: measureProcess,
    events,
    metrics,
    services,
    stopping,
  };
}
