import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Supervision } from '../load/supervision.ts';
import type { Bench, Row, RowGroup } from '../rows.ts';
import { median, quantile } from '../support/numbers.ts';
import { start } from '../support/process.ts';

const CRASH = 'crash → restart job asked for, p99';
const RESTART = 'restart of a service';
const CPU = 'watching six idle services';

/** What it takes to start a systemd beside the machine's own. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const found = ['/lib/systemd/systemd', '/usr/bin/dbus-daemon', '/usr/bin/pkcheck'].every((file) => existsSync(file));
  return found ? undefined : 'needs systemd: apt-get install systemd dbus polkitd pkexec';
}

async function measure({ quick }: Bench): Promise<Supervision> {
  let output = '';
  const options = [
    'node_modules/.bin/node',
    'bench/load/supervision.ts',
    quick ? '20' : '200',
    quick ? '2000' : '10000',
  ];
  const { child } = start('test/support/with-systemd.sh', options, {
    onOutput: (text) => {
      output += text;
    },
  });
  await once(child, 'close');
  return JSON.parse(output);
}

export const supervision: RowGroup = {
  name: 'supervision',
  async measure(bench) {
    const why = missing();
    if (why !== undefined) {
      bench.skip([CRASH, RESTART, CPU], why);
      return [];
    }
    const { crash, restart, systemctl, cpu } = await measure(bench);
    const rows: Row[] = [
      {
        name: CRASH,
        value: quantile(crash, 0.99),
        unit: 'ms',
        target: { at: 'most', value: 20 },
        note: `p50 ${median(crash).toFixed(1)} ms`,
      },
      {
        name: RESTART,
        value: median(restart),
        unit: 'ms',
        against: { name: 'systemctl restart', value: median(systemctl) },
        target: { at: 'most', value: 0.5 },
      },
      { name: CPU, value: cpu, unit: '% of a core', target: { at: 'most', value: 1 } },
    ];
    return rows;
  },
};
