import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const read = (file: string): string => readFileSync(`/proc/${file}`, 'utf8');

/** The process and all that it started. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = read(`${name}/stat`);
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid];
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  }
  return family;
}

function sumOf(pid: number, of: (member: number) => number): number {
  return familyOf(pid).reduce((sum, member) => sum + of(member), 0);
}

const kilobytes = (file: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(file))?.[1]) / 1024;

/** Proportional set size in MiB. */
export const pssOf = (pid: number): number => sumOf(pid, (member) => kilobytes(`${member}/smaps_rollup`, 'Pss'));

/** Resident set size in MiB. */
export const rssOf = (pid: number): number => sumOf(pid, (member) => kilobytes(`${member}/status`, 'VmRSS'));

/** Highest resident set size in MiB since the last `forgetPeak`. */
export const peakOf = (pid: number): number => sumOf(pid, (member) => kilobytes(`${member}/status`, 'VmHWM'));

/** Highest resident set size in MiB of this process alone since the last `forgetPeak`. */
export const ownPeakOf = (pid: number): number => kilobytes(`${pid}/status`, 'VmHWM');

/** Whether the process has started one with this argument, and it runs. */
export function hasChild(pid: number, argument: string): boolean {
  return familyOf(pid).some((member) => {
    try {
      return member !== pid && read(`${member}/cmdline`).split('\0').includes(argument);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** `peakOf` and `ownPeakOf` begin anew. */
export function forgetPeak(pid: number): void {
  for (const member of familyOf(pid)) {
    try {
      writeFileSync(`/proc/${member}/clear_refs`, '5');
    } catch (error) {
      // A child may have ended meanwhile.
      if (member === pid) throw error;
    }
  }
}

/** Milliseconds of processor time that all living threads have had. */
export function cpuOf(pid: number): number {
  return sumOf(pid, (member) =>
    readdirSync(`/proc/${member}/task`).reduce((sum, task) => {
      const [nanoseconds] = read(`${member}/task/${task}/schedstat`).split(' ');
      return sum + Number(nanoseconds) / 1e6;
    }, 0),
  );
}
