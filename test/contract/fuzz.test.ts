import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { type RestServer, startRestServer } from '../support/rest-server-process.ts';
import { BOUNDARY, type FuzzedRequest, requestsOf } from './arbitraries.ts';
import { type Asked, Client } from './client.ts';
import { ApiDocument } from './document.ts';
import { look, Watch } from './look.ts';
import { ADMIN, calm, connect, GUARDED, SEED } from './stage.ts';

const REQUESTS = 4000;

describe(`requests made of the OpenAPI document (FUZZ_SEED=${SEED})`, () => {
  let server: RestServer;
  let client: Client;
  let broker: MqttClient;
  before(async function () {
    this.timeout(60_000);
    server = await startRestServer(GUARDED);
    client = new Client(server.base, ADMIN, 8);
    broker = await connect(server.mqtt);
  });
  after(async () => {
    client?.close();
    await broker?.endAsync(true);
    await server?.stop();
  });

  it('are answered as documented, and change nothing where they are refused', async function () {
    this.timeout(120_000);
    const api = await ApiDocument.read(client);
    const watch = await Watch.on(broker);
    await calm(client);
    let before = await look(client);

    const isAnswered = async (sent: FuzzedRequest) => {
      if (sent.id === 'reply') {
        // Whoever speaks to the skull waits for its AI: not for long.
        await client.must('PUT', '/ia/config', { think_timeout_ms: 100 });
        before = await look(client);
      }
      await watch.heard();
      const answered = await client.ask(asSent(sent));
      assert.equal(api.faultOf(api.operation(sent.id), answered), undefined);
      assert.ok(answered.status < 500 || MAY_FAIL.test(`${sent.id} ${answered.status}`), answered.text);
      if (sent.method === 'GET') return;
      if (answered.status < 400 || answered.status >= 500) await calm(client);
      const [was, heard] = [before, await watch.heard()];
      before = await look(client);
      if (answered.status < 400 || answered.status >= 500) return;
      assert.deepEqual(before, was, `${answered.status} was answered, but something has changed`);
      assert.deepEqual(heard, [], `${answered.status} was answered, but something was published`);
    };

    const requests = fc.oneof(...api.operations.map((operation) => requestsOf(api, operation)));
    await fc.assert(fc.asyncProperty(requests, isAnswered), { numRuns: REQUESTS, seed: SEED });
  });
});

/** The AI that is not there. */
const MAY_FAIL = /^reply 504$/;

const FORM = 'multipart/form-data';
const asSent = ({ headers, ...rest }: FuzzedRequest): Asked =>
  headers['content-type'] === FORM
    ? { ...rest, headers: { ...headers, 'content-type': `${FORM}; boundary=${BOUNDARY}` } }
    : { ...rest, headers };
