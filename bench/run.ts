/** The performance table: the product beside its floors and its peers, in one run, on 127.0.0.1 only. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { boot } from './rows/boot.ts';
import { burstOfEvents } from './rows/burst.ts';
import { estop } from './rows/estop.ts';
import { guard } from './rows/guard.ts';
import { idle } from './rows/idle.ts';
import { jaw } from './rows/jaw.ts';
import { latency } from './rows/latency.ts';
import { preempt } from './rows/preempt.ts';
import { scheduler } from './rows/scheduler.ts';
import { status } from './rows/status.ts';
import { stream } from './rows/stream.ts';
import { supervision } from './rows/supervision.ts';
import { upload } from './rows/upload.ts';
import { type Bench, isMet, type Row, type RowGroup, ratioOf, tableOf } from './rows.ts';
import { MOSQUITTO } from './subjects.ts';
import { ROOT, stopAll } from './support/process.ts';

const GROUPS: readonly RowGroup[] = [
  latency,
  estop,
  burstOfEvents,
  boot,
  idle,
  status,
  guard,
  stream,
  scheduler,
  preempt,
  jaw,
  upload,
  supervision,
];
const NAMES = GROUPS.map(({ name }) => name).join(', ');
const USAGE = `Usage: npm run bench -- [--quick] [--only <row>]…   rows: ${NAMES}`;

function optionsOf(args: string[]): { quick: boolean; only: string[] } {
  try {
    const { values } = parseArgs({
      args,
      options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true, default: [] } },
    });
    const unknown = values.only.find((name) => GROUPS.every((group) => group.name !== name));
    if (unknown !== undefined) throw new Error(`There is no row ${unknown}.`);
    return values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

function mosquittoVersion(): string | null {
  if (MOSQUITTO === undefined) return null;
  try {
    return execFileSync(MOSQUITTO, ['-h'], { encoding: 'utf8' }).split('\n')[0] ?? null;
  } catch (error) {
    // mosquitto -h ends with code 3.
    return String(Reflect.get(Object(error), 'stdout')).split('\n')[0] ?? null;
  }
}

const { quick, only } = optionsOf(process.argv.slice(2));
const rows: Row[] = [];
const skipped: { row: string; why: string }[] = [];
const failed: { group: string; why: string }[] = [];

for (const group of GROUPS.filter(({ name }) => only.length === 0 || only.includes(name))) {
  const bench: Bench = {
    quick,
    skip: (names, why) => void skipped.push(...names.map((row) => ({ row, why }))),
    progress: (text) => console.error(`${group.name}: ${text}`),
  };
  try {
    rows.push(...(await group.measure(bench)));
  } catch (error) {
    failed.push({ group: group.name, why: error instanceof Error ? error.message : String(error) });
    await stopAll();
  }
}

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cpus: cpus().length,
  kernel: release(),
  node: process.version,
  mosquitto: mosquittoVersion(),
};
const file = path.join(ROOT, 'bench/results/latest.json');
mkdirSync(path.dirname(file), { recursive: true });
const figures = rows.map((row) => ({ ...row, ratio: ratioOf(row) ?? null, met: isMet(row) ?? null }));
const result = { time: new Date().toISOString(), quick, machine, rows: figures, skipped, failed };
writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);

console.log(`${machine.cpus} × ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}\n\n${tableOf(rows)}`);
for (const { row, why } of skipped) console.log(`skipped: ${row}: ${why}`);
for (const { group, why } of failed) console.log(`failed: ${group}: ${why}`);
console.log(`\nWritten to ${path.relative(process.cwd(), file)}`);
process.exit(failed.length > 0 ? 1 : 0);
