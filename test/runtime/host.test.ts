import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mqtt from 'mqtt';
import { PACKAGE_ROOT, VERSION } from '../../adapters/files/package-root.ts';
import { EventReader } from '../support/event-reader.ts';
import { Skull } from './skull-process.ts';

const READY = /API +(http:\S+)\/status[\s\S]*MQTT +(mqtt:\S+)[\s\S]*ready in \d+ ms\n/;

describe('skull start', function () {
  this.timeout(30_000);
  let home: string;
  let started: Skull[];

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-host-'));
    started = [];
  });
  afterEach(async () => {
    for (const skull of started) await skull.kill();
    rmSync(home, { recursive: true, force: true });
  });

  function start(variables: Record<string, string> = {}): Skull {
    const defaults = { SKULL_HOME: home, PORT: '0', MQTT_PORT: '0', SIMULATOR: 'false', EDITOR: 'false' };
    const skull = new Skull(['start'], { ...defaults, ...variables });
    started.push(skull);
    return skull;
  }
  function flowsWith(change: (flows: string) => void): string {
    const flows = path.join(home, 'flows');
    cpSync(path.join(PACKAGE_ROOT, 'flows'), flows, { recursive: true });
    change(flows);
    return flows;
  }
  async function refusal(variables: Record<string, string>): Promise<string> {
    const { code, stdout, stderr } = await start(variables).ended();
    assert.equal(code, 1, stdout);
    assert.match(stderr, /^[^\n]+\n$/, 'one line');
    return stderr.trimEnd();
  }
  /** The status that a request for a WebSocket is answered with. */
  const upgrade = (url: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const handshake = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
      const asked = request(url, {
        headers: { connection: 'Upgrade', upgrade: 'websocket', ...handshake, ...headers },
      });
      asked.on('upgrade', (res, socket) => resolve(socket.destroy() && res.statusCode));
      asked.on('response', (res) => resolve(res.resume().statusCode));
      asked.on('error', reject);
      asked.end();
    });
  async function taken(): Promise<{ server: Server; port: number }> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return { server, port: (server.address() as AddressInfo).port };
  }

  it('takes the text editor that shells and npm name in EDITOR for what it is', async () => {
    const skull = start({ EDITOR: 'vi' });
    await skull.says(/Editor +http:\S+\/editor/);
  });

  it('says where everything is, has its state retained by then, and stops cleanly on SIGTERM', async () => {
    const skull = start();
    const [, http = '', broker = ''] = await skull.says(READY);
    const client = await mqtt.connectAsync(broker);
    const retained = new Map<string, string>();
    const complete = new Promise<void>((resolve) => {
      client.on('message', (topic, payload, { retain }) => {
        if (retain) retained.set(topic, payload.toString());
        if (['orchestrator/state', 'skull/mode', 'orchestrator/availability'].every((one) => retained.has(one)))
          resolve();
      });
    });
    await client.subscribeAsync('#');
    await complete;
    assert.equal(retained.get('orchestrator/state'), 'Idle');
    assert.equal(retained.get('skull/mode'), 'Idle');
    assert.equal(retained.get('orchestrator/availability'), 'online');
    const status = await fetch(`${http}/status`);
    assert.equal(status.status, 200);
    const offline = new Promise<string>((resolve) => {
      client.on('message', (topic, payload) => {
        if (topic === 'orchestrator/availability') resolve(payload.toString());
      });
    });
    const before = performance.now();
    skull.signal('SIGTERM');
    assert.equal(await offline, 'offline');
    const { code, stderr } = await skull.ended();
    assert.ok(performance.now() - before < 5000);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    await client.endAsync(true);
    const log = readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8').trimEnd().split('\n');
    assert.match(log.at(-1) ?? '', /Stopping on SIGTERM|stopped/i);
  });

  it('sends events as they come, ends the stream with itself, and goes on with it after a restart', async () => {
    const skull = start();
    const [, http = ''] = await skull.says(READY);
    const reader = await EventReader.open(`${http}/events/stream?kind=transition`);
    await reader.until(({ text }) => text.length > 0);
    const headers = { 'content-type': 'application/json' };
    for (const state of ['Accueil', 'IA']) {
      const { status } = await fetch(`${http}/mode`, { method: 'POST', headers, body: JSON.stringify({ state }) });
      assert.equal(status, 200);
    }
    await reader.until(({ heard }) => heard.length === 2);
    skull.signal('SIGTERM');
    await reader.end();
    assert.equal((await skull.ended()).code, 0);
    const [first, second] = reader.heard;
    const again = start();
    const [, there = ''] = await again.says(READY);
    const later = await EventReader.open(`${there}/events/stream?kind=transition`, {
      'last-event-id': String(first?.id),
    });
    await later.until(({ heard }) => heard.length > 0);
    assert.deepEqual(later.heard[0], second);
    later.leave();
  });

  it('starts with the editor, and with a copy of the packaged flows in production', async () => {
    const hash = '$2b$10$Lf0CkaDg565kY6W4hFo1G.w/bCKkvdDYG4bV0qRnPRd6Pi0AtbNkG';
    const skull = start({
      ENV: 'production',
      API_KEY: 'key',
      HOST: '127.0.0.1',
      EDITOR: 'true',
      EDITOR_PASSWORD_HASH: hash,
    });
    const [, http = ''] = await skull.says(READY);
    const page = await fetch(`${http}/editor/`);
    assert.match(await page.text(), /<title>Skull<\/title>/);
    assert.equal((await fetch(`${http}/editor/flows`)).status, 401);
    assert.equal(await upgrade(`${http}/status`, {}), 401);
    assert.equal(await upgrade(`${http}/editor/comms`, {}), 101);
    assert.equal(await upgrade(`${http}/editor/comms`, { origin: http }), 101);
    assert.equal(await upgrade(`${http}/editor/comms`, { origin: 'http://evil.example' }), 403);
    const flow = (where: string) => readFileSync(path.join(where, '010-skull.json'), 'utf8');
    assert.equal(flow(path.join(home, 'flows')), flow(path.join(PACKAGE_ROOT, 'flows')));
    skull.signal('SIGINT');
    assert.equal((await skull.ended()).code, 0);
  });

  it('refuses a value it cannot use', async () => {
    assert.match(await refusal({ PORT: 'http' }), /^PORT=http is not allowed: /);
  });

  it('says which port is taken', async () => {
    const { server, port } = await taken();
    try {
      const at = `=${port} is taken: something else listens on 127.0.0.1:${port}.`;
      assert.equal(await refusal({ PORT: String(port) }), `PORT${at}`);
      assert.equal(await refusal({ MQTT_PORT: String(port) }), `MQTT_PORT${at}`);
    } finally {
      server.close();
    }
  });

  it('says which address cannot be listened on', async () => {
    const none = await refusal({ API_KEY: 'key', HOST: 'nosuchhost.invalid', PORT: '8080' });
    assert.match(
      none,
      /^HOST=nosuchhost\.invalid cannot be used: no listening on nosuchhost\.invalid:8080 \(E\w+\)\.$/,
    );
    assert.match(await refusal({ API_KEY: 'key', HOST: '192.0.2.1' }), /^HOST=192\.0\.2\.1 cannot be used: /);
    assert.match(
      await refusal({ MQTT_HOST: '192.0.2.1', MQTT_USERNAME: 'skull', MQTT_PASSWORD: 'hush' }),
      /^MQTT_HOST=192\.0\.2\.1 cannot be used: /,
    );
  });

  it('says which folder cannot be made', async () => {
    const file = path.join(home, 'file');
    writeFileSync(file, '');
    assert.match(await refusal({ SKULL_HOME: file }), /^SKULL_HOME=\S+\/file cannot be used: ENOTDIR: .*\.$/);
    assert.match(await refusal({ FLOWS_DIR: file }), /^FLOWS_DIR=\S+\/file cannot be used: EEXIST: .*\.$/);
    // Here Node's own way to make folders one below the other never ends.
    assert.match(
      await refusal({ ENV: 'production', SKULL_HOME: '/proc/x' }),
      /^SKULL_HOME=\/proc\/x cannot be used: ENOENT: /,
    );
  });

  it('says which flow file, which node and which place is broken', async () => {
    const file = (flows: string) => path.join(flows, '010-skull.json');
    const text = readFileSync(file(path.join(PACKAGE_ROOT, 'flows')), 'utf8');
    const change = (from: string, to: string) => (flows: string) => writeFileSync(file(flows), text.replace(from, to));
    assert.match(
      await refusal({ FLOWS_DIR: flowsWith(change('"type"', '"type" oops')) }),
      /^The flow file \S+010-skull\.json is not JSON: .*line 4/,
    );
    assert.match(
      await refusal({ FLOWS_DIR: flowsWith(change('"initial": "Idle"', '"initial": "Nowhere"')) }),
      /^The flow file \S+010-skull\.json, node "skull" \(skull-body\) at \/definition\/initial: /,
    );
    assert.match(
      await refusal({ FLOWS_DIR: flowsWith(change('"type": "comment"', '"type": "teleport"')) }),
      /010-skull\.json, node .* at \/type: "teleport" is a type of node that no installed package brings\.$/,
    );
  });

  it('goes on without a log when its folder cannot be written', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, 'logs'), 'in the way');
    const skull = start();
    await skull.says(READY);
    skull.signal('SIGTERM');
    const { code, stderr } = await skull.ended();
    assert.equal(code, 0);
    assert.match(stderr, /^The log \S+orchestrator\.log cannot be written: [^\n]+\n$/);
  });
});

describe('skull', () => {
  const run = (...args: string[]) => new Skull(args).ended();

  it('has help for every command', async () => {
    const { code, stdout } = await run('--help');
    assert.equal(code, 0);
    for (const [, command = ''] of stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)) {
      const help = await run(command, '--help');
      assert.equal(help.code, 0, command);
      assert.match(help.stdout, /^Usage: skull/);
    }
    assert.match(stdout, /^ {2}start /m);
    assert.match(stdout, /^ {2}simulate /m);
  });

  it('says its version', async () => {
    assert.equal((await run('--version')).stdout, `${VERSION}\n`);
  });

  it('answers a mistake of usage on stderr with 2', async () => {
    for (const args of [['dance'], ['start', '--loudly'], ['start', 'now'], []]) {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    }
  });
});
