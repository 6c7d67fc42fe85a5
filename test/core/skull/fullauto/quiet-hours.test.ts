import assert from 'node:assert/strict';
import type { QuietHours } from '../../../../core/skull/config/sections.ts';
import { afterQuiet } from '../../../../core/skull/fullauto/quiet-hours.ts';

const iso = (time: number) => new Date(time).toISOString();
/** When a song may start that is due then. */
const allowed = (quiet: QuietHours | null, due: string) =>
  iso(afterQuiet(quiet, Date.parse(due))).replace(':00.000Z', 'Z');

const quiet = (from: string, to: string, timezone = 'Europe/Paris'): QuietHours => ({ from, to, timezone });

describe('quiet hours', () => {
  /** [name, quiet hours, due, may start]: moments in UTC. */
  const cases: [string, QuietHours | null, string, string][] = [
    ['none', null, '2026-06-01T03:00Z', '2026-06-01T03:00Z'],
    ['of no length', quiet('22:00', '22:00'), '2026-06-01T20:00Z', '2026-06-01T20:00Z'],
    ['on one day: before', quiet('12:00', '14:00'), '2026-06-01T09:59Z', '2026-06-01T09:59Z'],
    ['on one day: their first minute', quiet('12:00', '14:00'), '2026-06-01T10:00Z', '2026-06-01T12:00Z'],
    ['on one day: their last minute', quiet('12:00', '14:00'), '2026-06-01T11:59Z', '2026-06-01T12:00Z'],
    ['on one day: their end', quiet('12:00', '14:00'), '2026-06-01T12:00Z', '2026-06-01T12:00Z'],
    ['over midnight: in the evening', quiet('22:00', '08:00'), '2026-06-01T20:00Z', '2026-06-02T06:00Z'],
    ['over midnight: in the morning', quiet('22:00', '08:00'), '2026-06-02T05:59Z', '2026-06-02T06:00Z'],
    ['over midnight: by day', quiet('22:00', '08:00'), '2026-06-02T06:00Z', '2026-06-02T06:00Z'],
    ['until midnight', quiet('20:00', '00:00'), '2026-06-01T18:00Z', '2026-06-01T22:00Z'],
    ['in winter', quiet('22:00', '08:00'), '2026-01-15T21:00Z', '2026-01-16T07:00Z'],

    [
      'Paris, spring: a night that is an hour shorter',
      quiet('22:00', '08:00'),
      '2026-03-28T21:00Z',
      '2026-03-29T06:00Z',
    ],
    ['Paris, spring: an end that is skipped', quiet('22:00', '02:30'), '2026-03-28T23:00Z', '2026-03-29T01:00Z'],
    ['Paris, spring: after a skipped end', quiet('22:00', '02:30'), '2026-03-29T01:00Z', '2026-03-29T01:00Z'],
    ['Paris, spring: before a skipped begin', quiet('02:30', '06:00'), '2026-03-29T00:59Z', '2026-03-29T00:59Z'],
    ['Paris, spring: a begin that is skipped', quiet('02:30', '06:00'), '2026-03-29T01:00Z', '2026-03-29T04:00Z'],
    ['Paris, spring: all of it skipped', quiet('02:15', '02:45'), '2026-03-29T01:00Z', '2026-03-29T01:00Z'],
    ['Paris, spring: an end at the change', quiet('22:00', '02:00'), '2026-03-29T00:59Z', '2026-03-29T01:00Z'],
    ['Paris, spring: what is loud is skipped', quiet('03:00', '02:30'), '2026-03-29T00:00Z', '2026-03-30T00:30Z'],
    [
      'Paris, autumn: a night that is an hour longer',
      quiet('22:00', '08:00'),
      '2026-10-24T20:00Z',
      '2026-10-25T07:00Z',
    ],
    ['Paris, autumn: an end that comes twice', quiet('22:00', '02:30'), '2026-10-25T00:29Z', '2026-10-25T01:30Z'],
    ['Paris, autumn: between the two ends', quiet('22:00', '02:30'), '2026-10-25T00:45Z', '2026-10-25T01:30Z'],
    [
      'Paris, autumn: before a begin that comes twice',
      quiet('02:30', '06:00'),
      '2026-10-25T00:29Z',
      '2026-10-25T00:29Z',
    ],
    ['Paris, autumn: a begin that comes twice', quiet('02:30', '06:00'), '2026-10-25T00:30Z', '2026-10-25T05:00Z'],
    ['Paris, autumn: between the two begins', quiet('02:30', '06:00'), '2026-10-25T01:15Z', '2026-10-25T05:00Z'],
    ['Paris, autumn: the hour that comes twice', quiet('02:00', '03:00'), '2026-10-25T00:00Z', '2026-10-25T02:00Z'],

    ['New York, spring', quiet('23:00', '02:30', 'America/New_York'), '2026-03-08T05:00Z', '2026-03-08T07:00Z'],
    [
      'New York, spring: the morning',
      quiet('23:00', '09:00', 'America/New_York'),
      '2026-03-08T05:00Z',
      '2026-03-08T13:00Z',
    ],
    ['New York, autumn', quiet('23:00', '01:30', 'America/New_York'), '2026-11-01T05:00Z', '2026-11-01T06:30Z'],
    [
      'New York, autumn: the morning',
      quiet('23:00', '09:00', 'America/New_York'),
      '2026-11-01T03:00Z',
      '2026-11-01T14:00Z',
    ],

    [
      'Lord Howe, half an hour less',
      quiet('22:00', '02:15', 'Australia/Lord_Howe'),
      '2026-10-03T14:00Z',
      '2026-10-03T15:30Z',
    ],
    [
      'Lord Howe, half an hour less: the morning',
      quiet('22:00', '06:00', 'Australia/Lord_Howe'),
      '2026-10-03T14:00Z',
      '2026-10-03T19:00Z',
    ],
    [
      'Lord Howe, half an hour more',
      quiet('22:00', '01:45', 'Australia/Lord_Howe'),
      '2026-04-04T14:40Z',
      '2026-04-04T15:15Z',
    ],
    [
      'Lord Howe, half an hour more: the morning',
      quiet('22:00', '06:00', 'Australia/Lord_Howe'),
      '2026-04-04T14:00Z',
      '2026-04-04T19:30Z',
    ],
    [
      'half an hour ahead, without changes',
      quiet('22:00', '08:00', 'Asia/Kolkata'),
      '2026-03-29T16:30Z',
      '2026-03-30T02:30Z',
    ],
    ['in a zone by its offset', quiet('22:00', '08:00', '+05:30'), '2026-03-29T16:30Z', '2026-03-30T02:30Z'],
  ];
  for (const [name, hours, due, starts] of cases) it(name, () => assert.equal(allowed(hours, due), starts));

  it('are never left before their end by the wall clock, minute by minute over both changes', () => {
    const wall = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', hour: '2-digit', minute: '2-digit' });
    const hours = quiet('22:00', '08:00');
    for (const day of ['2026-03-28', '2026-10-24']) {
      for (let minute = 0; minute < 48 * 60; minute++) {
        const time = Date.parse(`${day}T00:00Z`) + minute * 60_000;
        const shown = wall.format(time);
        const isQuiet = shown >= '22:00' || shown < '08:00';
        assert.equal(afterQuiet(hours, time) > time, isQuiet, iso(time));
        assert.equal(wall.format(afterQuiet(hours, time)), isQuiet ? '08:00' : shown);
      }
    }
  });
});
