import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { PackPorts } from '../core/model/ports.ts';
import { JsonFolder } from './files/json-folder.ts';
import { VERSION } from './files/package-root.ts';
import { systemClock, systemRandom } from './system.ts';

/** The names of the files in a folder, links to files among them; none where there is no folder. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const isFile = (name: string) =>
    stat(path.join(folder, name)).then(
      (found) => found.isFile(),
      () => false,
    );
  const kept = await Promise.all(
    entries.map((entry) => (entry.isSymbolicLink() ? isFile(entry.name) : entry.isFile())),
  );
  return entries.filter((_, index) => kept[index]).map(({ name }) => name);
}

/** The world as the nodes see it: the system's time and chance, files below `home`, and the given log and broker. */
export function packPorts({ home, log, connect }: Pick<PackPorts, 'home' | 'log' | 'connect'>): PackPorts {
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
    songs: () => filesIn(path.join(home, 'songs')),
  };
}
