import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mqtt, { type IClientOptions } from 'mqtt';
import { Skull } from './skull-process.ts';

const READY = /API +(http:\S+)\/status[\s\S]*MQTT +(mqtt:\S+)[\s\S]*ready in \d+ ms\n/;

/** The doors that have a login of their own: the embedded broker and the editor. */
describe('logins', function () {
  this.timeout(30_000);
  let home: string;
  let skull: Skull | undefined;

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-logins-'));
  });
  afterEach(async () => {
    await skull?.kill();
    rmSync(home, { recursive: true, force: true });
  });

  async function start(variables: Record<string, string>): Promise<{ http: string; broker: string }> {
    const defaults = { SKULL_HOME: home, PORT: '0', MQTT_PORT: '0', SIMULATOR: 'false', EDITOR: 'false' };
    skull = new Skull(['start'], { ...defaults, ...variables });
    const [, http = '', broker = ''] = await skull.says(READY);
    return { http, broker };
  }
  /** All of the log, once the process has ended and written it. */
  async function logged(): Promise<string> {
    skull?.signal('SIGTERM');
    await skull?.ended();
    return readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8');
  }

  describe('of the embedded broker', () => {
    const LOGIN = { MQTT_USERNAME: 'skull', MQTT_PASSWORD: 'hush-hush' };
    const knock = (broker: string, options: IClientOptions) => {
      const client = mqtt.connect(broker, { reconnectPeriod: 0, ...options });
      return new Promise((resolve) => {
        client.once('connect', () => resolve('in'));
        client.once('error', (error) => resolve(Reflect.get(error, 'code')));
      }).finally(() => client.end(true));
    };

    it('is asked of every client, by a code that says so', async () => {
      const { broker } = await start({ ...LOGIN, SIMULATOR: 'true', LOG_LEVEL: 'debug' });
      const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = LOGIN;
      assert.equal(await knock(broker, { username, password }), 'in');
      for (const wrong of [{}, { username }, { username, password: 'wrong-word' }, { username: 'other', password }]) {
        for (const protocolVersion of [4, 3] as const) {
          const protocolId = protocolVersion === 3 ? 'MQIsdp' : 'MQTT';
          // Not authorized.
          assert.equal(await knock(broker, { ...wrong, protocolVersion, protocolId }), 5, JSON.stringify(wrong));
        }
      }
      const log = await logged();
      assert.match(log, /"msg":"a client was not let in"/);
      assert.doesNotMatch(log, /hush-hush|wrong-word/);
    });

    it('is not asked of ourselves, nor of the services that are simulated', async () => {
      const { http } = await start({ ...LOGIN, SIMULATOR: 'true' });
      for (;;) {
        const { mqtt: link, services } = await (await fetch(`${http}/status`)).json();
        assert.equal(link.connected, true);
        if (Object.values<{ alive: boolean }>(services).every(({ alive }) => alive)) break;
      }
    });
  });

  describe('of the editor in production', () => {
    const PASSWORD = 'boo-hoo';
    const HASH = '$2b$04$SqPGC3qRYbebUPPezQbdPOGFFQKVr/otfhRR.mBHMydgsDHIPTjYG';
    const production = () =>
      start({
        ENV: 'production',
        API_KEY: 'the-admin-key',
        HOST: '127.0.0.1',
        EDITOR: 'true',
        EDITOR_PASSWORD_HASH: HASH,
      });
    const login = (http: string, password: string) =>
      fetch(`${http}/editor/auth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          client_id: 'node-red-admin',
          grant_type: 'password',
          scope: '*',
          username: 'admin',
          password,
        }),
      });
    const read = (url: string, token: string) => fetch(url, { headers: { authorization: `Bearer ${token}` } });

    it('lets nobody in without it, not even with a key of the API', async () => {
      const { http } = await production();
      for (const place of [
        'flows',
        'nodes',
        'settings',
        'flow/010',
        'credentials/mqtt-broker/x',
        'library/local/flows',
      ]) {
        for (const token of ['the-admin-key', 'guess']) {
          const answer = await read(`${http}/editor/${place}`, token);
          assert.equal(answer.status, 401, place);
          assert.doesNotMatch(await answer.text(), /skull-|wires/);
        }
        assert.equal(
          (await fetch(`${http}/editor/${place}`, { headers: { 'x-api-key': 'the-admin-key' } })).status,
          401,
        );
      }
      const deploy = await fetch(`${http}/editor/flows`, {
        method: 'POST',
        body: '[]',
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(deploy.status, 401);
      const { access_token: token } = await (await login(http, PASSWORD)).json();
      assert.equal((await read(`${http}/editor/flows`, token)).status, 200);
    });

    it('lets nobody listen without it', async () => {
      const { http } = await production();
      const said = async (...words: object[]): Promise<unknown[]> => {
        const socket = new WebSocket(`${http.replace('http', 'ws')}/editor/comms`);
        const heard: unknown[] = [];
        const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
        socket.addEventListener('message', ({ data }) => {
          heard.push(JSON.parse(String(data)));
          if (JSON.stringify(heard).includes('"auth":"ok"')) socket.send('{"subscribe":"notification/#"}');
          if (JSON.stringify(heard).includes('notification/')) socket.close();
        });
        await new Promise((resolve) => socket.addEventListener('open', resolve));
        for (const word of words) socket.send(JSON.stringify(word));
        await closed;
        return heard;
      };
      assert.deepEqual(await said({ subscribe: 'notification/#' }), [{ auth: 'fail' }]);
      assert.deepEqual(await said({ auth: 'guess' }, { subscribe: 'notification/#' }), [{ auth: 'fail' }]);
      const { access_token: token } = await (await login(http, PASSWORD)).json();
      assert.match(JSON.stringify(await said({ auth: token })), /"auth":"ok"[\s\S]*notification\//);
    });

    it('cannot be guessed for long', async () => {
      const { http } = await production();
      const answers = [];
      for (let n = 0; n < 8; n++) answers.push((await login(http, `guess-${n}`)).status);
      assert.equal(answers.includes(200), false);
      assert.notEqual((await login(http, PASSWORD)).status, 200);
      assert.doesNotMatch(await logged(), /guess-\d|boo-hoo/);
    });
  });

  describe('of the editor by a key of the API', () => {
    const open = (http: string, key: string) =>
      fetch(`${http}/editor/settings`, { headers: { authorization: `Bearer ${key}` } });

    it('is an admin, and nobody for a while where keys are guessed', async () => {
      const keys = { API_KEY: 'the-admin-key', API_KEYS: 'editor:an-editor-key' };
      const { http } = await start({ ...keys, HOST: '127.0.0.1', EDITOR: 'true' });
      assert.equal((await open(http, 'the-admin-key')).status, 200);
      assert.equal((await open(http, 'an-editor-key')).status, 401);
      for (let n = 0; n < 9; n++) assert.equal((await open(http, `guess-${n}`)).status, 401);
      assert.equal((await open(http, 'the-admin-key')).status, 401);
    });
  });
});
