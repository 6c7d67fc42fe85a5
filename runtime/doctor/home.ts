import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { nameOfFile } from '../../adapters/songs/names.ts';
import { messageOf } from '../../core/model/errors.ts';
import { checkedSection } from '../../core/skull/config/check.ts';
import { SECTION_NAMES } from '../../core/skull/config/sections.ts';
import type { Environment } from '../env.ts';
import { readFlowFiles } from '../flows/files.ts';
import { flowChanges } from '../flows/packaged.ts';
import { type Finding, findings } from './finding.ts';

const MB = 1024 * 1024;
/** The log alone may take 50 MB, and a song as much. */
const SCARCE_MB = 200;
const TOO_LITTLE_MB = 20;

const may = (place: string, mode: number): boolean => {
  try {
    accessSync(place, mode);
    return true;
  } catch {
    return false;
  }
};

const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** The folders of the home, as far as they are made yet; what is missing is made at the start. */
export function checkFolders({ home, flowsDir, mode }: Environment): Finding[] {
  const { ok, fail } = findings('folders');
  const owned = ['config', 'logs', 'songs', 'data'].map((name) => path.join(home, name));
  const places = [...owned, flowsDir].map((folder) => (existsSync(folder) ? folder : nearest(folder)));
  const shut = [...new Set(places)].filter((folder) => !may(folder, constants.R_OK | constants.W_OK | constants.X_OK));
  if (shut.length === 0) return [ok(`${home} can be read and written`)];
  const remedy = (folder: string): string => {
    if (mode === 'dev') return `chown $USER ${folder}`;
    // Root's, as install.sh makes it: systemd reads the settings there.
    if (folder === owned[0]) return `sudo chown root:skull ${folder} && sudo chmod 1770 ${folder}`;
    return `sudo chown skull:skull ${folder}`;
  };
  return shut.map((folder) => fail(`${folder} cannot be read and written`, remedy(folder)));
}

const nearest = (folder: string): string => (existsSync(folder) ? folder : nearest(path.dirname(folder)));

/** The file that holds the keys. */
export function checkSecrets(file: string): Finding[] {
  const { ok, fail } = findings('secrets');
  if (!existsSync(file)) return [];
  if ((statSync(file).mode & 0o007) === 0) return [ok(`${file} is shut to others`)];
  return [fail(`${file} holds keys, and everybody may read it`, `sudo chmod 0640 ${file}`)];
}

export function checkConfig({ home }: Environment): Finding[] {
  const { ok, warn, fail } = findings('config');
  const folder = path.join(home, 'config');
  const broken = SECTION_NAMES.flatMap((section): Finding[] => {
    const file = path.join(folder, `${section}.json`);
    if (!existsSync(file)) return [];
    try {
      checkedSection(section, JSON.parse(readFileSync(file, 'utf8')));
      return [];
    } catch (error) {
      return [fail(`${file}: ${messageOf(error)}`, 'correct it, or remove it for the defaults')];
    }
  });
  const aside = names(folder)
    .filter((name) => /\.json\.(broken|retained)-/.test(name))
    .map((name) => warn(`${name} was set aside`, `take from it what you want, then remove it from ${folder}`));
  return broken.length + aside.length > 0 ? [...broken, ...aside] : [ok('every section is whole')];
}

export function checkFlowFolder({ flowsDir }: Environment): Finding[] {
  const { ok, warn, fail } = findings('flows');
  if (!existsSync(flowsDir)) return [ok(`${flowsDir} is made at the first start`)];
  try {
    readFlowFiles(flowsDir);
  } catch (error) {
    return [fail(messageOf(error), `correct it, or remove it from ${flowsDir} for the packaged one`)];
  }
  const { changed, missing, waiting } = flowChanges(flowsDir);
  const counts = `${changed.length === 0 ? 'all' : changed.join(', ')} ${changed.length === 0 ? 'as packaged' : 'changed here'}`;
  return [
    ok(`${flowsDir}: ${counts}`),
    ...missing.map((name) => warn(`${name} was removed`, `to have it again, remove ${flowsDir}/.packaged too`)),
    ...waiting.map((name) =>
      warn(`${name} holds what a newer version brings`, `compare it with ${name.slice(0, -4)}, then remove it`),
    ),
  ];
}

export function checkSongs({ home }: Environment): Finding[] {
  const { ok, warn } = findings('songs');
  const folder = path.join(home, 'songs');
  const files = names(folder).filter((name) => !name.startsWith('.') && /\.mp3$/i.test(name));
  const misnamed = files.filter((name) => nameOfFile(name) === undefined);
  const shut = files.filter((name) => !may(path.join(folder, name), constants.R_OK));
  if (misnamed.length + shut.length === 0) return [ok(`${files.length} in ${folder}`)];
  return [
    ...misnamed.map((name) => warn(`${JSON.stringify(name)} has no name for a song`, 'rename it')),
    ...shut.map((name) => warn(`${name} cannot be read`, `sudo chmod a+r ${JSON.stringify(path.join(folder, name))}`)),
  ];
}

export function checkDisk({ home }: Environment): Finding[] {
  const { ok, warn, fail } = findings('disk');
  const { bavail, bsize } = statfsSync(nearest(home));
  const free = Math.floor((bavail * bsize) / MB);
  const detail = `${free} MB free below ${home}`;
  if (free < TOO_LITTLE_MB) return [fail(detail, 'remove songs or other files')];
  return [free < SCARCE_MB ? warn(detail, 'remove songs or other files before it is full') : ok(detail)];
}
