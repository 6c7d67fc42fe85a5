import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetrics } from '../../../adapters/telemetry/metrics.ts';
import { metered } from '../../../runtime/http/meter.ts';
import { readPrometheus } from '../../support/prometheus.ts';

describe('the meter of requests', () => {
  let server: Server;
  let base: string;
  let metrics: ReturnType<typeof createMetrics>;
  /** One for each answer, in the order in which they ended. */
  let ended: Promise<unknown>[];

  beforeEach(async () => {
    metrics = createMetrics();
    ended = [];
    const serve: RequestListener = (req, res) => {
      ended.push(once(res, 'close'));
      if (req.url === '/mode') return;
      // As the guard does, and whoever serves a part of the paths.
      Object.assign(req, {
        skull: { id: 'x', role: 'viewer', since: performance.now() },
        originalUrl: req.url,
        url: '/',
      });
      res.statusCode = req.method === 'GET' ? 200 : 404;
      res.end('x');
    };
    server = createServer(metered(serve, { readers: 3, cutOff: 1 }, metrics)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const samples = async () => readPrometheus(await metrics.render());
  /** Requests that were counted, as `operation status` and how many. */
  const counted = async () =>
    Object.fromEntries(
      [...(await samples())].flatMap(([series, value]) => {
        const [, operation, status] =
          /^skull_http_requests_total\{operation="(.*)",status="(.*)"\}$/.exec(series) ?? [];
        return operation === undefined ? [] : [[`${operation} ${status}`, value]];
      }),
    );
  async function ask(path: string, method = 'GET'): Promise<void> {
    await (await fetch(base + path, { method })).arrayBuffer();
  }

  it('counts by operation and status, and what is no operation together', async () => {
    for (const path of [
      '/status',
      '/status?x=1',
      '/config/gaze',
      '/config/nope',
      '/docs',
      '/docs/x.css',
      '/',
      '/editor/x',
    ]) {
      await ask(path);
    }
    for (let n = 0; n < 50; n++) await ask(`/odd/${n}`, n % 2 === 0 ? 'GET' : 'PURGE');
    await ask('/status', 'HEAD');
    await Promise.all(ended);
    assert.deepEqual(await counted(), {
      'getStatus 200': 2,
      'getStatus 404': 1,
      'getSection 200': 2,
      '(documents) 200': 3,
      '(editor) 200': 1,
      '(other) 200': 25,
      '(other) 404': 25,
    });
  });

  it('measures how long answers took, but for the stream of events', async () => {
    await ask('/status');
    await ask('/events/stream');
    await Promise.all(ended);
    const all = await samples();
    assert.equal(all.get('skull_http_request_duration_seconds_count{operation="getStatus"}'), 1);
    const took = all.get('skull_http_request_duration_seconds_sum{operation="getStatus"}') ?? 0;
    assert.ok(took > 0 && took < 5, `${took} s`);
    assert.equal(all.get('skull_http_request_duration_seconds_count{operation="streamEvents"}'), undefined);
    assert.equal((await counted())['streamEvents 200'], 1);
  });

  it('counts callers who went before there was an answer', async () => {
    const asked = request(`${base}/mode`).on('error', () => {});
    const reached = once(server, 'request');
    asked.end();
    await reached;
    asked.destroy();
    await Promise.all(ended);
    assert.deepEqual(await counted(), { 'getMode aborted': 1 });
  });

  it('shows the readers of the stream', async () => {
    const all = await samples();
    assert.equal(all.get('skull_event_stream_readers'), 3);
    assert.equal(all.get('skull_event_stream_cut_off_total'), 1);
  });
});
