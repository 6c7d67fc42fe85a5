import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Finding } from '../../runtime/doctor/finding.ts';
import { freePort } from '../support/mosquitto.ts';
import { Skull } from './skull-process.ts';

describe('skull doctor', function () {
  this.timeout(30_000);
  let folder: string;
  let home: string;
  let variables: Record<string, string>;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'skull-doctor-'));
    home = path.join(folder, 'home');
    variables = {
      SKULL_HOME: home,
      FLOWS_DIR: path.join(home, 'flows'),
      PORT: String(await freePort()),
      MQTT_PORT: String(await freePort()),
    };
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (place: string, text: string, mode = 0o640) => {
    mkdirSync(path.dirname(path.join(home, place)), { recursive: true });
    writeFileSync(path.join(home, place), text, { mode });
  };

  /** What it says of a check, as `<result> <detail> <remedy>`, and how it ended. */
  async function examine(more: Record<string, string> = {}) {
    const { code, stdout, stderr } = await new Skull(['doctor', '--json'], { ...variables, ...more }, folder).ended();
    assert.equal(stderr, '');
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] };
    assert.equal(code, ok ? 0 : 1);
    for (const { result, detail, remedy } of checks) assert.equal(remedy === undefined, result === 'ok', detail);
    const of = (name: string) =>
      checks
        .filter(({ check }) => check === name)
        .map(({ result, detail, remedy = '' }) => `${result} ${detail} ${remedy}`);
    return { code, stdout, of };
  }

  it('finds nothing wrong where nothing is, one line for each check, and makes nothing', async () => {
    const { code, stdout } = await new Skull(['doctor'], variables, folder).ended();
    assert.equal(code, 0);
    for (const line of stdout.trimEnd().split('\n')) assert.match(line, /^(ok {2}|warn) {2}[a-z]+ +\S/);
    for (const check of ['node', 'settings', 'folders', 'port', 'broker', 'disk', 'access', 'memory'])
      assert.match(stdout, new RegExp(` {2}${check} `));
    assert.equal(existsSync(home), false);
  });

  it('knows an orchestrator that runs there', async () => {
    const skull = new Skull(['start'], variables, folder);
    try {
      await skull.says(/ready in/);
      const { code, of } = await examine();
      assert.equal(code, 0);
      assert.match(of('port').join(), /answers at 127\.0\.0\.1:\d+ and is healthy/);
      assert.match(of('broker').join(), /^ok the embedded broker answers/);
    } finally {
      await skull.kill();
    }
  });

  it('names a setting that is not allowed, without its secret', async () => {
    const { code, of } = await examine({ PORT: 'many' });
    assert.equal(code, 1);
    assert.match(of('settings').join(), /^fail PORT=many is not allowed/);
    put('config/orchestrator.env', 'API_KEY=two words\n');
    const { stdout } = await examine();
    assert.doesNotMatch(stdout, /two words/);
  });

  it('reads the settings of the installation, and shows none of their secrets', async () => {
    put('config/orchestrator.env', 'API_KEY=hush\nMQTT_URL=mqtt://me:whisper@127.0.0.1:1\n', 0o644);
    const { stdout, of } = await examine();
    assert.doesNotMatch(stdout, /hush|whisper/);
    assert.match(of('secrets').join(), /^fail .*chmod 0640/);
    assert.match(of('access').join(), /^warn short API keys/);
    assert.match(of('broker').join(), /^fail mqtt:\/\/127\.0\.0\.1:1.*ECONNREFUSED.*MQTT_URL/);
  });

  it('tells of ports that others have', async () => {
    const others = [variables.PORT, variables.MQTT_PORT].map((port) =>
      createServer().listen(Number(port), '127.0.0.1'),
    );
    try {
      const { of } = await examine();
      assert.match(of('port').join(), /^fail PORT=\d+ is taken by another program .*set PORT/);
      assert.match(of('broker').join(), /^fail .*MQTT_PORT=\d+ .*MQTT_URL=/);
    } finally {
      for (const server of others) server.close();
    }
  });

  it('tells of a configuration that is broken or set aside', async () => {
    put('config/song.json', '{"volume":');
    put('config/vision.json', '{"threshold":7}');
    put('config/gaze.json.broken-2026', '');
    const { of } = await examine();
    const [vision = '', song = '', aside = ''] = of('config');
    assert.match(vision, /^fail .*vision\.json: .*threshold/);
    assert.match(song, /^fail .*song\.json/);
    assert.match(aside, /^warn gaze\.json\.broken-2026/);
  });

  it('tells of flows that were changed, removed or wait, and of broken ones', async () => {
    const skull = new Skull(['start'], variables, folder);
    await skull.says(/ready in/);
    await skull.kill();
    assert.match((await examine()).of('flows').join(), /^ok .*all as packaged/);
    put('flows/020-config.json', '[]');
    put('flows/020-config.json.new', '[]');
    rmSync(path.join(home, 'flows/030-rest-service.json'));
    const [changed = '', missing = '', waiting = ''] = (await examine()).of('flows');
    assert.match(changed, /^ok .*020-config\.json changed here/);
    assert.match(missing, /^warn 030-rest-service\.json was removed/);
    assert.match(waiting, /^warn 020-config\.json\.new .*compare it with 020-config\.json,/);
    put('flows/020-config.json', '[');
    assert.match((await examine()).of('flows').join(), /^fail .*020-config\.json is not JSON/);
  });

  it('tells of folders that are none and of songs without a name', async () => {
    put('songs/thriller .mp3', '');
    put('data', '');
    const { of } = await examine();
    assert.match(of('folders').join(), /^fail .*data cannot be read and written/);
    assert.match(of('songs').join(), /^warn .*rename it/);
  });

  it('tells of keys that are not asked for, or missing', async () => {
    const open = await examine({ API_KEY: 'a'.repeat(32), REQUIRE_API_KEY: 'false', HOST: '127.0.0.1' });
    assert.match(open.of('access').join(), /^warn .*none is asked for/);
    const shut = await examine({ REQUIRE_API_KEY: 'true' });
    assert.match(shut.of('access').join(), /^fail an API key is required, and there is none/);
  });
});
