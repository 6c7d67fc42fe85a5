import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../adapters/files/package-root.ts';
import { readPrometheus } from '../support/prometheus.ts';
import { SentryIngest } from '../support/sentry-ingest.ts';
import { Skull } from './skull-process.ts';

const KEYS = { API_KEY: 'the-admin-key', API_KEYS: 'viewer:the-viewer-key' };
/** Says at the end which packages for telemetry were loaded. */
const WATCH = `
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const loaded = new Set();
  registerHooks({ load(url, context, next) {
    const name = /node_modules\\/(@sentry\\/core|prom-client|@opentelemetry\\/api)\\//.exec(url)?.[1];
    if (name) loaded.add(name);
    return next(url, context);
  } });
  process.on('exit', () => writeSync(2, 'loaded: ' + [...loaded].sort().join(' ')));`;
/** A route that throws, and an error that nobody catches. */
const FAULTS = `module.exports = (RED) => {
  RED.httpNode.get('/faulty', () => { throw new Error('faulty with the-admin-key'); });
  RED.httpNode.get('/fatal', (req, res) => { res.end(); setImmediate(() => { throw new Error('fatal'); }); });
};`;
const FLOW = [
  { id: 'faulty-tab', type: 'tab', label: 'Faulty', disabled: false, info: '' },
  { id: 'faulty-in', type: 'http in', z: 'faulty-tab', name: '', url: '/thrower', method: 'get', wires: [['thrower']] },
  {
    id: 'thrower',
    type: 'function',
    z: 'faulty-tab',
    name: 'Thrower',
    func: 'throw new Error("thrown");',
    outputs: 1,
    wires: [[]],
  },
];

describe('what the host tells of itself', function () {
  this.timeout(30_000);
  let home: string;
  let ingest: SentryIngest;
  let skull: Skull | undefined;

  before(async () => {
    ingest = await SentryIngest.start();
  });
  after(() => ingest.close());
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-telemetry-'));
  });
  afterEach(async () => {
    await skull?.kill();
    rmSync(home, { recursive: true, force: true });
  });

  /** Resolves with the address of a host that has started. */
  async function start(variables: Record<string, string>): Promise<{ host: Skull; base: string }> {
    const nodes = path.join(home, 'data/node-red/nodes');
    mkdirSync(nodes, { recursive: true });
    writeFileSync(path.join(nodes, 'faults.js'), FAULTS);
    writeFileSync(path.join(nodes, 'faults.html'), '');
    const flows = path.join(home, 'flows');
    cpSync(path.join(PACKAGE_ROOT, 'flows'), flows, { recursive: true });
    writeFileSync(path.join(flows, '900-faulty.json'), `${JSON.stringify(FLOW, null, 2)}\n`);
    const own = { SKULL_HOME: home, FLOWS_DIR: flows, HOST: '127.0.0.1', PORT: '0', MQTT_PORT: '0', EDITOR: 'false' };
    const watch = `--import data:text/javascript,${encodeURIComponent(WATCH)}`;
    const host = new Skull(['start'], { ...own, SIMULATOR: 'false', NODE_OPTIONS: watch, ...KEYS, ...variables });
    skull = host;
    const [, base = ''] = await host.says(/API +(http:\S+)\/status[\s\S]*ready in/);
    return { host, base };
  }
  const ask = (url: string, key?: string, id = 'r-1') =>
    fetch(url, { headers: { 'x-request-id': id, ...(key !== undefined && { authorization: `Bearer ${key}` }) } });

  it('is for Prometheus what happened and how it is, and what is not wanted is not loaded', async () => {
    const { host, base } = await start({});
    assert.equal((await ask(`${base}/metrics`)).status, 401);
    await ask(`${base}/status`, 'the-viewer-key');
    const answer = await ask(`${base}/metrics`, 'the-viewer-key');
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const samples = readPrometheus(await answer.text());
    assert.equal(samples.get('skull_http_requests_total{operation="getStatus",status="200"}'), 1);
    assert.equal(samples.get('skull_http_requests_total{operation="getMetrics",status="401"}'), 1);
    assert.equal(samples.get('skull_state{state="Idle"}'), 1);
    assert.equal(samples.get('skull_event_stream_readers'), 0);
    assert.ok((samples.get('skull_mqtt_messages_total{direction="out"}') ?? 0) > 0);
    assert.ok((samples.get('process_resident_memory_bytes') ?? 0) > 1e7);
    host.signal('SIGTERM');
    const { code, stderr } = await host.ended();
    assert.deepEqual([code, stderr], [0, 'loaded: prom-client']);
  });

  it('is for Sentry each error, without secrets, to the very last', async () => {
    const { dsn } = ingest;
    const { host, base } = await start({
      SENTRY_DSN: dsn,
      SENTRY_ENV: 'attic',
      RELEASE: '7',
      METRICS_ENABLED: 'false',
    });
    const missing = await ask(`${base}/metrics`, 'the-viewer-key');
    assert.deepEqual([missing.status, (await missing.json()).type], [404, 'urn:skull:problem:not-found']);

    const faulty = await ask(`${base}/faulty`, 'the-admin-key', 'r-7');
    assert.deepEqual([faulty.status, (await faulty.json()).request_id], [500, 'r-7']);
    const [first] = await ingest.told();
    assert.deepEqual([first?.environment, first?.release, first?.tags?.request_id], ['attic', '7', 'r-7']);
    assert.equal(first?.exception?.values[0]?.value, 'faulty with [redacted]');

    const hanging = ask(`${base}/thrower`, 'the-admin-key').catch(() => {});
    const [, second] = await ingest.told(2);
    assert.equal(second?.tags?.node, 'Thrower');
    assert.match(JSON.stringify(second), /thrown/);

    await Promise.all([ask(`${base}/fatal`, 'the-admin-key').catch(() => {}), hanging]);
    const { code, stderr } = await host.ended();
    assert.deepEqual([code, stderr], [1, 'loaded: @sentry/core']);
    const told = await ingest.told(3);
    assert.equal(told[2]?.exception?.values[0]?.value, 'fatal');
    assert.doesNotMatch(ingest.bodies.join(), /the-admin-key|the-viewer-key/);
    assert.doesNotMatch(readFileSync(path.join(home, 'logs/orchestrator.log'), 'utf8'), /the-admin-key|publickey/);
  });
});
