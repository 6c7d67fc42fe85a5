import assert from 'node:assert/strict';
import { SkullError } from '../../../core/model/errors.ts';
import { timestamp } from '../../../core/model/timestamp.ts';
import { Type } from '../../../core/model/type.ts';
import { Page } from '../../../core/skull/operations/page.ts';
import { Status } from '../../../core/skull/operations/service.ts';
import { inTimezone, timezoneOf } from '../../../core/skull/timezone.ts';

const Time = timestamp('When.');

describe('a time zone', () => {
  it('is found by its name, however that is written', () => {
    assert.equal(timezoneOf('Europe/Paris'), 'Europe/Paris');
    assert.equal(timezoneOf('EUROPE/paris'), 'Europe/Paris');
    for (let n = 0; n < 3; n++) assert.equal(timezoneOf('UTC'), 'UTC');
  });

  for (const name of ['Europe/Nowhere', '', 'Paris', 'Europe/Paris; DROP', '../etc/passwd', 'x'.repeat(10_000)]) {
    it(`is not ${name.slice(0, 30) || 'nothing'}`, () => {
      assert.throws(
        () => timezoneOf(name),
        (error: unknown) =>
          error instanceof SkullError && error.code === 'invalid' && error.issues[0]?.path === 'X-Timezone',
      );
    });
  }
});

describe('timestamps in a time zone', () => {
  const at = (time: string, zone: string) => inTimezone(time, Time, zone);

  for (const [time, zone, there] of [
    ['2026-11-20T19:14:44.000Z', 'Europe/Paris', '2026-11-20T20:14:44.000+01:00'],
    ['2026-12-31T23:30:00.000Z', 'Asia/Kathmandu', '2027-01-01T05:15:00.000+05:45'],
    ['2026-01-01T00:00:00.000Z', 'America/St_Johns', '2025-12-31T20:30:00.000-03:30'],
    ['2026-01-01T00:00:00.000Z', 'UTC', '2026-01-01T00:00:00.000+00:00'],
    // The last moment of winter, the first of summer, and the hour that comes twice.
    ['2026-03-29T00:59:59.999Z', 'Europe/Paris', '2026-03-29T01:59:59.999+01:00'],
    ['2026-03-29T01:00:00.000Z', 'Europe/Paris', '2026-03-29T03:00:00.000+02:00'],
    ['2026-10-25T00:30:00.000Z', 'Europe/Paris', '2026-10-25T02:30:00.000+02:00'],
    ['2026-10-25T01:30:00.000Z', 'Europe/Paris', '2026-10-25T02:30:00.000+01:00'],
    // Half an hour of summer time.
    ['2026-04-04T14:59:00.000Z', 'Australia/Lord_Howe', '2026-04-05T01:59:00.000+11:00'],
    ['2026-04-04T15:00:00.000Z', 'Australia/Lord_Howe', '2026-04-05T01:30:00.000+10:30'],
  ] as const) {
    it(`${time} is ${there} in ${zone}`, () => {
      assert.equal(at(time, zone), there);
      assert.equal(Date.parse(there), Date.parse(time));
    });
  }

  it('are found wherever the schema has them, and nothing else is touched', () => {
    const time = '2026-11-20T19:14:44.000Z';
    const there = '2026-11-20T20:14:44.000+01:00';
    const schema = Type.Object({
      at: Time,
      maybe: Type.Union([Time, Type.Null()]),
      never: Type.Union([Time, Type.Null()]),
      list: Page(Type.Object({ at: Time })),
      byName: Type.Record(Type.String(), Time),
      either: Type.Union([Type.Object({ at: Time }), Type.Object({ at: Time, more: Time })]),
      text: Type.String(),
      anything: Type.Unknown(),
    });
    const value = {
      at: time,
      maybe: time,
      never: null,
      list: { items: [{ at: time }, { at: time }], next_cursor: time },
      byName: { a: time, b: time },
      either: { at: time, more: time },
      text: time,
      anything: { at: time },
      unknown: time,
    };
    const before = structuredClone(value);
    assert.deepEqual(inTimezone(value, schema, 'Europe/Paris'), {
      ...value,
      at: there,
      maybe: there,
      list: { items: [{ at: there }, { at: there }], next_cursor: time },
      byName: { a: there, b: there },
      either: { at: there, more: there },
    });
    assert.deepEqual(value, before, 'the value itself stays as it was');
  });

  it('are those of the status', () => {
    const seen = { state: 'alive', alive: true, last_seen: '2026-07-01T12:00:00.000Z', restarts: 0 };
    const fullauto = { next_song_at: '2026-07-01T12:00:00.000Z', upcoming: [{ at: '2026-07-01T12:05:00.000Z' }] };
    assert.deepEqual(inTimezone({ services: { voice: seen }, fullauto }, Status, 'America/New_York'), {
      services: { voice: { ...seen, last_seen: '2026-07-01T08:00:00.000-04:00' } },
      fullauto: {
        next_song_at: '2026-07-01T08:00:00.000-04:00',
        upcoming: [{ at: '2026-07-01T08:05:00.000-04:00' }],
      },
    });
  });
});
