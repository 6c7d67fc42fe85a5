import assert from 'node:assert/strict';
import type { SongInfo } from '../../../core/model/songs.ts';
import { readNewSongs } from '../../../core/skull/housekeeping.ts';
import { keepingLog } from '../../support/ports.ts';
import { settled } from '../../support/settled.ts';
import { skull } from '../../support/skull.ts';

/** A library of unread songs, whose reading ends when the test says so. */
function shelf(unread: readonly string[]) {
  const read: string[] = [];
  const waiting: (() => void)[] = [];
  const known = new Set<string>();
  return {
    read,
    /** Ends the reading that goes on. */
    next: async () => {
      waiting.shift()?.();
      await settled();
    },
    songs: {
      list: async () =>
        ['known', ...unread].map(
          (name): SongInfo => ({
            name,
            title: name,
            artist: null,
            size: 1,
            duration_ms: name === 'known' || known.has(name) ? 1000 : null,
          }),
        ),
      find: async () => undefined,
      envelope: async (name: string) => {
        read.push(name);
        await new Promise<void>((resolve) => waiting.push(resolve));
        if (name === 'broken') throw new Error('broken');
        return undefined;
      },
    },
  };
}

describe('reading new songs', () => {
  it('is an activity in the background that makes room for anything', async () => {
    const { lane, chart, send, outcomes } = skull();
    const { songs, read, next } = shelf(['a', 'b', 'c']);
    await readNewSongs({ songs, lane, log: keepingLog() });
    await settled();
    assert.deepEqual([lane.running[0]?.kind, lane.running[0]?.priority], ['housekeeping', 'BACKGROUND']);
    assert.equal(chart.state, 'Idle');
    lane.claim({ kind: 'say', priority: 'LOW', args: { text: 'a' } });
    assert.equal(chart.state, 'Speak');
    await next();
    assert.deepEqual(read, ['a']);
    send('voice/state', { state: 'done' });
    await settled();
    await next();
    await next();
    assert.deepEqual(read, ['a', 'b', 'c']);
    assert.deepEqual(outcomes, ['say completed', 'housekeeping completed']);
  });

  it('claims nothing where nothing is new', async () => {
    const { lane } = skull();
    await readNewSongs({ songs: shelf([]).songs, lane, log: keepingLog() });
    assert.equal(lane.running.length, 0);
  });

  it('goes on after a song that cannot be read, and says so', async () => {
    const { lane } = skull();
    const log = keepingLog();
    const { songs, read, next } = shelf(['broken', 'b']);
    await readNewSongs({ songs, lane, log });
    await settled();
    await next();
    assert.deepEqual(read, ['broken', 'b']);
    assert.match(log.entries[0]?.msg ?? '', /^broken could not be read: broken$/);
    await next();
    assert.equal(lane.running.length, 0);
  });

  it('ends with an emergency stop', async () => {
    const { lane, send, errors } = skull();
    const { songs, read, next } = shelf(['a', 'b']);
    await readNewSongs({ songs, lane, log: keepingLog() });
    await settled();
    send('motion/estop', { active: true });
    await next();
    assert.deepEqual(read, ['a']);
    send('motion/estop', { active: false });
    assert.deepEqual([lane.running.length, errors], [0, []]);
  });
});
