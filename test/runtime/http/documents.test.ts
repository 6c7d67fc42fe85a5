import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const SCRIPT = path.resolve(import.meta.dirname, '../../support/documents-process.ts');
const VIEWER = /swagger-ui/;
const DOCUMENTS =
  /runtime\/http\/(documents|openapi|asyncapi|schemas|pages)\.|skull\/channels\/(index|sent|received)\./;

describe('the documents', function () {
  this.timeout(20_000);
  let child: ChildProcess;
  let port: number;

  before(async () => {
    child = fork(SCRIPT, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    ({ port } = Object(await once(child, 'message').then(([address]) => address)));
  });
  after(async () => {
    child.disconnect();
    await once(child, 'exit');
  });

  async function ask(at: string, headers: Record<string, string> = {}, method = 'GET') {
    const [answer]: IncomingMessage[] = await once(
      get({ host: '127.0.0.1', port, path: at, headers, method }),
      'response',
    );
    assert.ok(answer);
    const chunks: Buffer[] = await answer.toArray();
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
  }
  const loaded = async (what: RegExp): Promise<string[]> =>
    (JSON.parse((await ask('/health')).body.toString()) as string[]).filter((url) => what.test(url));

  it('are not loaded before somebody asks for one, nor the viewer with them', async () => {
    assert.deepEqual([await loaded(DOCUMENTS), await loaded(VIEWER)], [[], []]);
    await ask('/openapi.json');
    const first = await loaded(DOCUMENTS);
    assert.ok(first.some((url) => url.includes('openapi')) && !first.some((url) => url.includes('asyncapi')));
    assert.deepEqual(await loaded(VIEWER), []);
    await ask('/docs');
    assert.notDeepEqual(await loaded(VIEWER), []);
  });

  for (const [name, version] of [
    ['/openapi.json', 'openapi'],
    ['/asyncapi.json', 'asyncapi'],
  ] as const) {
    it(`${name} is JSON for everybody, packed for who can unpack it`, async () => {
      const plain = await ask(name);
      assert.equal(plain.status, 200);
      assert.equal(plain.headers['content-type'], 'application/json; charset=utf-8');
      assert.match(JSON.parse(plain.body.toString())[version], /^3\.1/);
      assert.equal(plain.headers['content-encoding'], undefined);
      const packed = await ask(name, { 'accept-encoding': 'gzip, br' });
      assert.deepEqual([packed.headers['content-encoding'], packed.headers.vary], ['gzip', 'Accept-Encoding']);
      assert.ok(packed.body.length < plain.body.length / 4);
      assert.deepEqual(gunzipSync(packed.body), plain.body);
    });

    it(`${name} is not sent again to who has it`, async () => {
      const { etag = '' } = (await ask(name)).headers;
      const again = await ask(name, { 'if-none-match': etag });
      assert.deepEqual([again.status, again.body.length], [304, 0]);
      assert.equal((await ask(name, { 'if-none-match': 'W/"other"' })).status, 200);
      const head = await ask(name, {}, 'HEAD');
      assert.deepEqual([head.status, head.headers.etag, head.body.length], [200, etag, 0]);
    });
  }

  it('have pages that take everything from here', async () => {
    for (const page of ['/docs', '/redoc']) {
      const { status, headers, body } = await ask(page);
      assert.equal(status, 200);
      assert.match(String(headers['content-type']), /^text\/html/);
      assert.match(String(headers['content-security-policy']), /default-src 'none'.*script-src 'self'/);
      const html = body.toString();
      assert.match(html, /<meta name="viewport"/, page);
      assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
      for (const [, place = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
        assert.equal((await ask(place)).status, 200, place);
      }
    }
  });

  it('end where their paths end', async () => {
    const beside = ['/docs/index.html', '/docs/package.json', '/docs/swagger-initializer.js'];
    const nowhere = ['/docs/nothing.js', '/redoc/nothing', '/openapi.json/x', '/docs/../../package.json'];
    for (const place of [...beside, ...nowhere]) {
      const { status, headers } = await ask(place);
      assert.equal(status, 404, place);
      assert.match(String(headers['content-type']), /problem\+json/);
    }
  });
});
