import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Setlist } from '../../../../core/skull/fullauto/setlist.ts';

const NEW = { bag: [], played: [], last: null };
const names = (count: number) => Array.from({ length: count }, (_, index) => `song ${index}`);
const take = (setlist: Setlist, count: number, shuffle = true) =>
  Array.from({ length: count }, () => setlist.take(shuffle));
const anySeed = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
const randomOf = (stream: Iterator<number>) => ({ next: () => Number(stream.next().value) });

describe('a set list', () => {
  it('shuffled, plays every song once a round, and none twice running', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), anySeed, (count, stream) => {
        const setlist = new Setlist(randomOf(stream), NEW);
        setlist.update(names(count));
        const played = take(setlist, count * 4);
        for (let round = 0; round < 4; round++) {
          assert.deepEqual(played.slice(round * count, (round + 1) * count).sort(), names(count));
        }
        assert.ok(played.every((name, index) => name !== played[index - 1]));
      }),
    );
  });

  it('shuffles differently, and each order as often', () => {
    const orders = new Map<string, number>();
    for (const a of [0, 0.5])
      for (const b of [0, 0.34, 0.67]) {
        const draws = [0, a, b];
        const setlist = new Setlist({ next: () => draws.shift() ?? 0 }, NEW);
        setlist.update(['a', 'b', 'c']);
        const order = setlist.upcoming(3, true).join('');
        orders.set(order, (orders.get(order) ?? 0) + 1);
      }
    assert.deepEqual([...orders.values()], [1, 1, 1, 1, 1, 1]);
  });

  it('goes on after a restart where it was, also over the end of a round', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), anySeed, (before, stream) => {
        const random = randomOf(stream);
        const first = new Setlist(random, NEW);
        first.update(names(5));
        const played = take(first, before);
        const second = new Setlist(random, JSON.parse(JSON.stringify(first.memory)));
        second.update(names(5));
        assert.deepEqual(second.upcoming(2, true), first.upcoming(2, true));
        played.push(...take(second, 10 - before));
        assert.deepEqual(played.slice(0, 5).sort(), names(5));
        assert.deepEqual(played.slice(5).sort(), names(5));
        assert.ok(played.every((name, index) => name !== played[index - 1]));
      }),
    );
  });

  it('plays new songs in the round under way, and none that is gone', () => {
    fc.assert(
      fc.property(anySeed, (stream) => {
        const setlist = new Setlist(randomOf(stream), NEW);
        setlist.update(names(4));
        const [first, second] = take(setlist, 2);
        const gone = setlist.upcoming(1, true)[0];
        setlist.update([...names(4).filter((name) => name !== gone), 'new']);
        const left = names(4).filter((name) => ![first, second, gone].includes(name));
        assert.deepEqual(take(setlist, 2).sort(), ['new', ...left].sort());
      }),
    );
  });

  it('does not play a song again in the round because it was away for a while', () => {
    const setlist = new Setlist({ next: () => 0 }, NEW);
    setlist.update(names(3));
    const [first] = take(setlist, 1);
    setlist.update(names(3).filter((name) => name !== first));
    setlist.update(names(3));
    assert.ok(!take(setlist, 2).includes(first));
  });

  it('in order, goes on after the last one played, though that is gone', () => {
    const setlist = new Setlist({ next: () => 0 }, { ...NEW, last: 'b' });
    setlist.update(['a', 'b', 'c']);
    assert.deepEqual(setlist.upcoming(3, false), ['c', 'a', 'b']);
    assert.deepEqual(take(setlist, 4, false), ['c', 'a', 'b', 'c']);
    setlist.update(['a', 'b', 'd']);
    assert.deepEqual(take(setlist, 2, false), ['d', 'a']);
    setlist.update(['b']);
    assert.deepEqual(take(setlist, 2, false), ['b', 'b']);
  });

  it('does not repeat a song when shuffling begins', () => {
    fc.assert(
      fc.property(anySeed, (stream) => {
        const setlist = new Setlist(randomOf(stream), NEW);
        setlist.update(names(3));
        const [last] = take(setlist, 1, false);
        assert.notEqual(setlist.take(true), last);
      }),
    );
  });

  it('has nothing where there is nothing, and one song over and over where there is one', () => {
    const setlist = new Setlist({ next: () => 0 }, NEW);
    for (const shuffle of [true, false]) {
      setlist.update([]);
      assert.deepEqual([setlist.take(shuffle), setlist.upcoming(2, shuffle)], [undefined, [null, null]]);
      setlist.update(['one']);
      assert.deepEqual(take(setlist, 2, shuffle), ['one', 'one']);
    }
  });

  it('tells what comes, as far as it is drawn', () => {
    const setlist = new Setlist({ next: () => 0 }, NEW);
    setlist.update(['a', 'b']);
    const coming = setlist.upcoming(3, true);
    assert.equal(coming[2], null);
    assert.deepEqual(take(setlist, 2), coming.slice(0, 2));
  });
});
