import assert from 'node:assert/strict';
import { Buckets } from '../../../runtime/http/buckets.ts';
import { clientOf } from '../../../runtime/http/client.ts';
import { useGuard } from '../../support/guard.ts';

describe('a flood of changes', () => {
  const guard = useGuard();

  it('is held up for its address alone, and never where the skull is to be stopped', async function () {
    this.timeout(30_000);
    let time = 0;
    await guard.start({}, { times: { now: () => time } });
    const post = (path: string, address = '127.0.0.1', method = 'POST') => guard.askFrom(address, method, path);
    for (let n = 0; n < 5000; n += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => guard.ask('/mode', { method: 'POST' })));
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      assert.ok(answers.every(({ status }) => status === 200));
    }
    const late = await guard.refused(429, guard.ask('/mode', { method: 'POST' }));
    assert.equal(late.headers.get('retry-after'), '1');
    assert.equal((await post('/own')).status, 429, 'also to a flow of the user');
    assert.equal((await post('/mode', '127.0.0.2')).status, 200);
    assert.equal((await post('/estop')).status, 200);
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      assert.ok(Number((await post('/mode', '127.0.0.1', method)).status) < 300, method);
    }
    time = 10;
    assert.equal((await post('/mode')).status, 200);
    assert.equal((await post('/mode')).status, 429);
  });
});

describe('buckets', () => {
  let time = 0;
  const now = () => time;

  it('give so many at once, then one after the other', () => {
    time = 1000;
    const buckets = new Buckets({ burst: 3, perSecond: 0.5, now });
    assert.deepEqual(
      [1, 2, 3, 4].map(() => buckets.take('a')),
      [0, 0, 0, 2],
    );
    assert.equal(buckets.wait('b'), 0);
    time += 500;
    assert.equal(buckets.wait('a'), 2);
    time += 1500;
    assert.deepEqual([buckets.wait('a'), buckets.take('a'), buckets.take('a')], [0, 0, 2]);
    time += 60_000;
    assert.deepEqual(
      [1, 2, 3, 4].map(() => buckets.take('a')),
      [0, 0, 0, 2],
    );
  });

  it('forget the names that took nothing for longest', () => {
    const buckets = new Buckets({ burst: 1, perSecond: 0.001, now });
    buckets.take('first');
    buckets.take('second');
    for (let n = 0; n < 998; n++) buckets.take(`name-${n}`);
    assert.ok(buckets.wait('first') > 0);
    buckets.take('one more');
    assert.equal(buckets.wait('first'), 0);
    assert.ok(buckets.wait('second') > 0);
  });
});

describe('whom a request counts for', () => {
  for (const [address, client] of [
    ['192.168.1.7', '192.168.1.7'],
    ['::ffff:192.168.1.7', '192.168.1.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
  ] as const) {
    it(`${address} is ${client}`, () => assert.equal(clientOf({ remoteAddress: address }), client));
  }

  it('whoever has gone is one', () => assert.equal(clientOf({ remoteAddress: undefined }), ''));
});
