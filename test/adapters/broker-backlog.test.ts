import assert from 'node:assert/strict';
import { Backlog } from '../../adapters/broker/backlog.ts';

function backlog() {
  const seen: string[] = [];
  const keeper = new Backlog({ mark: () => seen.push('mark'), hold: (held) => seen.push(held ? 'hold' : 'go') });
  const publish = (count: number) => {
    for (let n = 0; n < count; n++) keeper.published();
  };
  return { keeper, seen, publish };
}

describe('the backlog on the broker', () => {
  it('is marked every few messages, and holds back what comes in while too many marks are under way', () => {
    const { keeper, seen, publish } = backlog();
    publish(15);
    assert.deepEqual(seen, []);
    publish(16 * 7);
    assert.deepEqual(
      seen,
      Array.from({ length: 7 }, () => 'mark'),
    );
    publish(16);
    assert.deepEqual(seen.splice(0).slice(7), ['mark', 'hold']);
    keeper.returned();
    keeper.returned();
    assert.deepEqual(seen, ['go']);
  });

  it('is empty after a new connection', () => {
    const { keeper, seen, publish } = backlog();
    publish(16 * 8);
    keeper.reset();
    keeper.returned();
    assert.deepEqual(seen.slice(8), ['hold', 'go']);
  });
});
