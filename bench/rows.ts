/** What a row must reach: the ratio (or, without anything to compare with, the value) at most or at least. */
export interface Target {
  at: 'most' | 'least';
  value: number;
}

export interface Row {
  name: string;
  value: number;
  unit: string;
  /** What it is compared with, in the same unit. */
  against?: { name: string; value: number };
  target?: Target;
  note?: string;
}

export interface Bench {
  /** Fewer rounds and samples: shows that it runs, not how fast. */
  quick: boolean;
  /** Notes rows that cannot be measured here. */
  skip(rows: readonly string[], why: string): void;
  progress(text: string): void;
}

export interface RowGroup {
  /** As in `--only <name>`. */
  name: string;
  measure(bench: Bench): Promise<Row[]>;
}

export const ratioOf = ({ value, against }: Row): number | undefined => against && value / against.value;

export function isMet(row: Row): boolean | undefined {
  if (row.target === undefined) return undefined;
  const reached = ratioOf(row) ?? row.value;
  return row.target.at === 'most' ? reached <= row.target.value : reached >= row.target.value;
}

/** Measures each subject in turn, round after round, so that the machine's moods meet all alike. */
export async function interleave<Name extends string, T>(
  rounds: number,
  subjects: Record<Name, () => Promise<T>>,
  progress: (text: string) => void,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(subjects) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>;
  for (let round = 1; round <= rounds; round++) {
    for (const name of names) {
      progress(`round ${round} of ${rounds}, ${name}`);
      results[name].push(await subjects[name]());
    }
  }
  return results;
}

const digits = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 });

/** The rows as a table for a terminal. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const ratio = ratioOf(row);
    const met = isMet(row);
    const sign = row.target?.at === 'most' ? '≤' : '≥';
    return [
      row.name,
      `${digits(row.value)} ${row.unit}`.trim(),
      row.against === undefined ? '' : `${digits(row.against.value)} ${row.unit} (${row.against.name})`,
      ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
      row.target === undefined ? '' : `${sign} ${row.target.value}${ratio === undefined ? '' : ' ×'}`,
      met === undefined ? '' : met ? 'met' : 'MISSED',
      row.note ?? '',
    ];
  });
  const all = [['row', 'product', 'against', 'ratio', 'target', '', ''], ...cells];
  const widths = all.reduce<number[]>((most, line) => line.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), []);
  return all
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
