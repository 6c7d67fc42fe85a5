import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_][a-zA-Z0-9_]*';
const HELP = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const LABEL = `${NAME}="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const VALUE = /^(-?\d+(\.\d+)?(e[+-]?\d+)?|[+-]Inf|NaN)$/;
const UNITS = /_(seconds|bytes|total|info)(_(sum|count|bucket))?$/;

interface Family {
  type: string;
  labels: string | undefined;
}

/** What a suffix makes of a histogram's name. */
const familyOf = (name: string, families: ReadonlyMap<string, Family>): string => {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return families.get(base)?.type === 'histogram' ? base : name;
};

/** Buckets of one histogram and one set of labels only grow, and end with what `_count` says. */
function checkBuckets(samples: ReadonlyMap<string, number>): void {
  const last = new Map<string, [bound: number, count: number]>();
  for (const [series, count] of samples) {
    const [, name, bound = '', rest = ''] = /^(\w+)_bucket\{le="([^"]*)",?(.*)\}$/.exec(series) ?? [];
    if (name === undefined) continue;
    const key = rest === '' ? name : `${name}{${rest}}`;
    const [before, less] = last.get(key) ?? [Number.NEGATIVE_INFINITY, 0];
    const now = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    assert.ok(now > before && count >= less, `${series} comes after le="${before}"`);
    last.set(key, [now, count]);
  }
  for (const [key, [bound, count]] of last) {
    assert.equal(bound, Number.POSITIVE_INFINITY, `${key} has no bucket +Inf`);
    assert.equal(samples.get(key.replace('{', '_count{')), count, `${key} counts otherwise`);
    assert.ok(samples.has(key.replace('{', '_sum{')), `${key} has no sum`);
  }
}

/**
 * Reads Prometheus' text format 0.0.4 as strictly as its own linter: HELP and TYPE once and before the samples, these
 * together and each only once, names that tell counters and units. Returns the values by series.
 */
export function readPrometheus(text: string): Map<string, number> {
  assert.ok(text.endsWith('\n') && !text.includes('\r'), 'lines end with a line feed');
  const samples = new Map<string, number>();
  const families = new Map<string, Family>();
  let helped: string | undefined;
  let current: string | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    if (help !== null) {
      helped = help[1];
    } else if (type !== null) {
      const [, name = '', kind = ''] = type;
      assert.equal(helped, name, `${name} has no HELP before its TYPE`);
      assert.ok(!families.has(name), `${name} comes twice`);
      assert.equal(kind === 'counter', name.endsWith('_total'), `${name} is a ${kind}`);
      assert.ok(kind !== 'histogram' || UNITS.test(name), `${name} says no unit`);
      assert.ok(!/_(ms|milliseconds|minutes|kb|mb|percent)\b/.test(name), `${name} has no base unit`);
      families.set(name, { type: kind, labels: undefined });
      current = name;
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(`not understood: ${line}`);
      assert.match(value, VALUE, line);
      const family = familyOf(name, families);
      assert.equal(family, current, `${line} stands in the wrong place`);
      const names = [...labels.matchAll(new RegExp(`(${NAME})="`, 'g'))].map(([, label]) => label);
      assert.equal(new Set(names).size, names.length, `${line} has a label twice`);
      const about = families.get(family) ?? assert.fail(`${family} has no TYPE`);
      const set = names.filter((label) => label !== 'le').join();
      assert.equal(about.labels ?? set, set, `${line} has other labels than its family`);
      about.labels = set;
      const series = labels === '' ? name : `${name}{${labels}}`;
      assert.ok(!samples.has(series), `${series} comes twice`);
      assert.ok(about.type === 'gauge' || Number(value.replace('Inf', 'Infinity')) >= 0, line);
      samples.set(series, Number(value.replace('Inf', 'Infinity')));
    }
  }
  checkBuckets(samples);
  return samples;
}
