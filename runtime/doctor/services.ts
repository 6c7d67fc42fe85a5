import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { stateOf, unitOf } from '../../adapters/systemd/units.ts';
import { messageOf } from '../../core/model/errors.ts';
import { SERVICES } from '../../core/model/services.ts';
import { checkedSection } from '../../core/skull/config/check.ts';
import type { Environment } from '../env.ts';
import { type Finding, findings } from './finding.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 5000;
const OWN_UNIT = 'skull-orchestrator.service';
/** That it is refused shows that the right is no wider than it should be. */
const FOREIGN_UNIT = 'systemd-journald.service';
const ACTION = 'org.freedesktop.systemd1.manage-units';

interface Unit {
  Id: string;
  LoadState: string;
  ActiveState: string;
  UnitFileState: string;
}

async function showUnits(): Promise<Unit[]> {
  const units = [...SERVICES.map(unitOf), OWN_UNIT];
  const properties = '--property=Id,LoadState,ActiveState,UnitFileState';
  const { stdout } = await run('systemctl', ['show', properties, ...units], { timeout: TIMEOUT_MS });
  return stdout
    .trim()
    .split('\n\n')
    .map((block): Unit => {
      const of = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      return {
        Id: of('Id'),
        LoadState: of('LoadState'),
        ActiveState: of('ActiveState'),
        UnitFileState: of('UnitFileState'),
      };
    });
}

/** systemd, our own unit and those of the six services. */
export async function checkUnits({ serviceManager, simulator, mode, home }: Environment): Promise<Finding[]> {
  const { ok, warn, fail } = findings('systemd');
  if (serviceManager === 'none') return [ok('not used: SERVICE_MANAGER=none')];
  if (serviceManager === 'simulated' || (serviceManager === 'auto' && mode === 'dev' && simulator)) {
    return [ok('not needed: the services are simulated')];
  }
  let units: Unit[];
  try {
    units = await showUnits();
  } catch (error) {
    const detail = `systemd cannot be asked: ${messageOf(error).split('\n')[0]}`;
    if (serviceManager === 'systemd')
      return [fail(detail, 'run on a machine with systemd, or set SERVICE_MANAGER=none')];
    return [warn(detail, 'services are neither watched nor restarted; SERVICE_MANAGER=none says that this is meant')];
  }
  const own = units.filter(({ Id }) => Id === OWN_UNIT).map(ownUnit);
  const watched = units.filter(({ Id }) => Id !== OWN_UNIT && isWatched(home, Id));
  const missing = watched.filter(({ LoadState }) => LoadState === 'not-found').map(({ Id }) => Id);
  const present = watched.filter(({ Id }) => !missing.includes(Id));
  return [
    ...own,
    ...present.map((unit) => {
      if (unit.LoadState === 'masked') return maskedUnit(unit);
      return unit.ActiveState === 'failed' ? warn(textOf(unit), `systemctl status ${unit.Id}`) : ok(textOf(unit));
    }),
    ...(missing.length > 0
      ? [
          warn(
            `not installed: ${missing.join(', ')}`,
            'install them, or set "enabled" to false in the section services',
          ),
        ]
      : []),
  ];
}

const textOf = ({ Id, LoadState, ActiveState }: Unit): string => `${Id} is ${stateOf(LoadState, ActiveState)}`;

const maskedUnit = (unit: Unit): Finding =>
  findings('systemd').warn(`${textOf(unit)} and masked`, `sudo systemctl unmask ${unit.Id}`);

function ownUnit(unit: Unit): Finding {
  const { ok, warn } = findings('systemd');
  if (unit.LoadState === 'not-found') return warn(`${OWN_UNIT} is not installed`, 'sudo systemd/install.sh');
  if (unit.LoadState === 'masked') return maskedUnit(unit);
  if (unit.UnitFileState === 'enabled' && unit.ActiveState === 'active') return ok(`${textOf(unit)} and enabled`);
  const detail = `${textOf(unit)}, ${unit.UnitFileState}`;
  return warn(detail, `sudo systemctl enable --now ${OWN_UNIT}; if it fails: journalctl -u ${OWN_UNIT}`);
}

/** Whether the configuration has it so; what cannot be read is told elsewhere. */
function isWatched(home: string, unit: string): boolean {
  try {
    const section = checkedSection('services', JSON.parse(readFileSync(`${home}/config/services.json`, 'utf8')));
    return SERVICES.some((service) => unitOf(service) === unit && section[service].enabled);
  } catch {
    return true;
  }
}

/** Whether the user may do this to the unit. Only root may ask that. */
async function isAllowed(uid: string, verb: string, unit: string): Promise<boolean> {
  const started = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[19];
  const subject = `${process.pid},${started},${uid}`;
  const details = ['--detail', 'verb', verb, '--detail', 'unit', unit];
  try {
    await run('pkcheck', ['--action-id', ACTION, '--process', subject, ...details], { timeout: TIMEOUT_MS });
    return true;
  } catch (error) {
    // Codes from 1 to 3 are answers: no, or not without a password.
    if (error instanceof Error && 'code' in error && [1, 2, 3].includes(Number(error.code))) return false;
    throw error;
  }
}

/** The right of the service's user to start and stop the six units, and no other. `uid` is that user's, if there is one. */
export async function checkRight({ serviceManager, mode }: Environment, uid: string | undefined): Promise<Finding[]> {
  const { ok, warn, fail } = findings('right');
  if (mode === 'dev' || !['auto', 'systemd'].includes(serviceManager)) return [];
  if (uid === undefined) return [warn('there is no user skull', 'sudo systemd/install.sh')];
  if (process.getuid?.() !== 0) return [warn('not checked: only root may ask for it', 'run it with sudo')];
  if (!existsSync('/usr/bin/pkcheck')) {
    return [
      fail('there is no polkit, so services cannot be restarted', 'sudo apt-get install polkitd, then install again'),
    ];
  }
  const asked = ['start', 'stop', 'restart', 'reset-failed'].flatMap((verb) =>
    SERVICES.map(async (service) => ((await isAllowed(uid, verb, unitOf(service))) ? [] : [`${verb} ${service}`])),
  );
  const refused = (await Promise.all(asked)).flat();
  if (refused.length > 0) {
    const more = refused.length > 3 ? ` and ${refused.length - 3} more` : '';
    return [
      fail(
        `skull may not ${refused.slice(0, 3).join(', ')}${more}`,
        'sudo systemd/install.sh brings the rule for polkit',
      ),
    ];
  }
  if (await isAllowed(uid, 'stop', FOREIGN_UNIT)) {
    return [
      warn(`skull may stop ${FOREIGN_UNIT}, too`, 'look through /etc/polkit-1/rules.d for a rule that is too wide'),
    ];
  }
  return [ok('skull may start, stop, restart and reset its six services, and no other unit')];
}

/** Whether the limits of memory of our unit hold: Raspberry Pi OS comes without the control group. */
export function checkMemory(): Finding[] {
  const { ok, warn } = findings('memory');
  const unified = '/sys/fs/cgroup/cgroup.controllers';
  if (existsSync(unified) ? /\bmemory\b/.test(readFileSync(unified, 'utf8')) : existsSync('/sys/fs/cgroup/memory')) {
    return [ok('limits of memory hold')];
  }
  return [
    warn(
      'limits of memory do not hold: the kernel has no control group for it',
      'on a Raspberry Pi, put cgroup_enable=memory at the end of the line in /boot/firmware/cmdline.txt and reboot',
    ),
  ];
}
