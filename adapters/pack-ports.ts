import path from 'node:path';
import type { PackPorts } from '../core/model/ports.ts';
import { JsonFolder } from './files/json-folder.ts';
import { VERSION } from './files/package-root.ts';
import { SongFolder } from './songs/library.ts';
import { systemClock, systemRandom } from './system.ts';

/** The world as the nodes see it: the system's time and chance, files below `home`, and the given log and broker. */
export function packPorts({
  home,
  log,
  connect,
  stopping = new AbortController().signal,
}: Pick<PackPorts, 'home' | 'log' | 'connect'> & { stopping?: AbortSignal }): PackPorts {
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
    stopping,
  };
}
