import assert from 'node:assert/strict';
import type { Traffic } from '../../../core/model/ports.ts';
import { issuesOf } from '../../../core/model/schema.ts';
import { Figures, OwnFigures } from '../../../core/supervision/figures.ts';
import { TestMeter } from '../../support/ports.ts';

describe('the own figures', () => {
  let meter: TestMeter;
  let traffic: Traffic;
  const pass = (ms: number, cpuMs: number, counted: Partial<Traffic> = {}) => {
    const { reading } = meter;
    meter.reading = { ...reading, uptimeMs: reading.uptimeMs + ms, cpuMs: reading.cpuMs + cpuMs };
    traffic = { ...traffic, ...counted };
  };

  beforeEach(() => {
    meter = new TestMeter();
    meter.reading = { ...meter.reading, uptimeMs: 60_000, cpuMs: 900 };
    traffic = { in: 1000, out: 500, dropped: 3 };
  });

  it('are of the time since they were taken last', () => {
    const figures = new Figures(meter, () => traffic);
    pass(10_000, 1250, { in: 1030, out: 501 });
    const first = figures.take();
    assert.deepEqual([first.cpu_percent, first.mqtt], [12.5, { in_per_s: 3, out_per_s: 0.1, dropped: 3 }]);
    pass(2000, 3000, { out: 541, dropped: 4 });
    const second = figures.take();
    assert.deepEqual([second.cpu_percent, second.mqtt], [150, { in_per_s: 0, out_per_s: 20, dropped: 4 }]);
    assert.deepEqual(issuesOf(OwnFigures, second), []);
  });

  it('are numbers where no time has passed, and where counts begin anew', () => {
    const figures = new Figures(meter, () => traffic);
    traffic = { in: 0, out: 0, dropped: 0 };
    const taken = figures.take();
    assert.deepEqual(issuesOf(OwnFigures, taken), []);
    assert.deepEqual([taken.cpu_percent, taken.mqtt], [0, { in_per_s: 0, out_per_s: 0, dropped: 0 }]);
  });
});
