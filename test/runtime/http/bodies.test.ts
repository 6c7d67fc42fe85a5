import assert from 'node:assert/strict';
import { useGuard } from '../../support/guard.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('bodies', () => {
  const guard = useGuard();
  const { start, ask, json, refused } = guard;

  it('are parsed once, where the operation takes one', async () => {
    await start();
    assert.deepEqual((await (await ask('/mode', json('POST', { mode: 'IA' }))).json()).body, { mode: 'IA' });
    assert.equal((await (await ask('/estop', { method: 'POST' })).json()).body, undefined);
    const form = { method: 'POST', body: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    assert.equal((await (await ask('/estop', form)).json()).body, undefined);
  });

  it('that are not JSON are refused', async () => {
    await start();
    for (const body of ['{', '{"a":1}}', '\0']) {
      const { problem } = await refused(400, ask('/mode', json('POST', body)));
      assert.equal(problem.type, 'urn:skull:problem:malformed');
    }
  });

  it('that say two things at once, or nothing that can be read, are refused', async () => {
    await start();
    for (const body of [
      '{"a":1,"a":2}',
      '{"a":"}","b":{"c":[{"d":1}],"\\u0063":2}}',
      '{"__proto__":1,"__proto__":1}',
    ]) {
      const { problem } = await refused(400, ask('/mode', json('POST', body)));
      assert.match(problem.detail, /"(a|c|__proto__)" is there twice/);
    }
    for (const body of ['{"a":{"b":1},"b":2}', '[{"a":1},{"a":"a"}]', '{"a":"\\"a\\":1,","b":"a"}', '\ufeff{"a":1}']) {
      const answer = await ask('/mode', json('POST', body));
      assert.deepEqual((await answer.json()).body, JSON.parse(body.replace('\ufeff', '')));
    }
    const latin = { method: 'POST', body: Buffer.from('{"a":"é"}', 'latin1'), headers: JSON_TYPE };
    assert.match((await refused(400, ask('/mode', latin))).problem.detail, /UTF-8/);
  });

  it('of which nothing comes are none', async () => {
    await start();
    const head = 'POST /estop HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n';
    assert.match(await guard.raw(`${head}Connection: close\r\n\r\n0\r\n\r\n`), /^HTTP\/1\.1 200 [\s\S]*\{"pass"/);
  });

  it('that are JSON but no object are for the schema to refuse, and null is not taken for nothing', async () => {
    await start();
    for (const body of ['"IA"', '7', 'true']) {
      assert.equal((await (await ask('/mode', json('POST', body))).json()).body, JSON.parse(body));
    }
    const { problem } = await refused(400, ask('/estop', json('POST', 'null')));
    assert.equal(problem.type, 'urn:skull:problem:invalid');
    assert.deepEqual(problem.errors, [{ path: '', message: 'is null' }]);
  });

  it('of another type are refused, but a merge patch is taken as one', async () => {
    await start();
    for (const type of ['text/plain', 'application/xml', 'application/merge-patch+json', 'application/json5']) {
      await refused(415, ask('/mode', json('POST', '{}', { 'content-type': type })));
    }
    await refused(415, ask('/mode', json('POST', '{}', { 'content-type': 'application/json; charset=latin-9' })));
    await refused(415, ask('/mode', json('POST', '{}', { 'content-type': 'application/json; charset="utf-16"' })));
    await refused(415, ask('/mode', json('POST', '{}', { 'content-encoding': 'rot13' })));
    for (const type of ['application/merge-patch+json', 'Application/JSON; charset=utf-8']) {
      const answer = await ask('/config/gaze', json('PATCH', { a: null }, { 'content-type': type }));
      assert.deepEqual((await answer.json()).body, { a: null });
    }
  });

  it('of two types are of neither', async () => {
    await start();
    const types = 'Content-Type: application/json\r\nContent-Type: text/plain\r\n';
    const head = `POST /mode HTTP/1.1\r\nHost: x\r\n${types}Content-Length: 2\r\nConnection: close\r\n\r\n{}`;
    assert.match(await guard.raw(head), /^HTTP\/1\.1 415 /);
  });

  it('that are too large are refused before they are read, also in pieces', async () => {
    await start();
    const text = JSON.stringify({ mode: 'x'.repeat(300_000) });
    const { headers } = await refused(413, ask('/mode', json('POST', text)));
    assert.equal(headers.get('connection'), 'close');
    const pieces = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      },
    });
    const chunked: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: pieces,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    };
    await refused(413, ask('/mode', chunked));
  });

  it('may be as large as what the operation takes, and no larger', async () => {
    await start();
    const say = (text: string) => ask('/say', json('POST', `{"text":"${text}"}`));
    assert.equal((await say('\\u00e9'.repeat(10_000))).status, 200);
    await refused(413, say('\\u00e9'.repeat(11_000)));
    const { problem } = await refused(413, ask('/mode', json('POST', { mode: 'x'.repeat(16 * 1024) })));
    assert.match(problem.detail, /16384/);
    assert.equal((await ask('/mode', json('POST', { mode: 'x'.repeat(16_000) }))).status, 200);
    const greetings = Array(200).fill('é'.repeat(1000));
    assert.equal((await ask('/config/accueil', json('PUT', { greetings }))).status, 200);
    await refused(413, ask('/config/accueil', json('PUT', { greetings: [...greetings, 'x'.repeat(2 ** 20)] })));
  });

  it('that come too slowly are given up, with a problem', async () => {
    await start({}, { times: { bodyMs: 100 } });
    const head = 'POST /mode HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';
    async function* drip() {
      for (let n = 0; n < 40; n++) {
        yield ' ';
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    const answer = await guard.raw(head, drip());
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.match(answer, /"type":"urn:skull:problem:request-timeout"/);
    assert.equal((await ask('/mode', json('POST', { mode: 'IA' }))).status, 200);
  });
});
