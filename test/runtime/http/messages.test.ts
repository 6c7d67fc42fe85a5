import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Messages } from '../../../runtime/http/messages.ts';

describe('requests and answers that suit an application from the start', () => {
  it('are not changed by it, and another application still takes them over', async () => {
    const [app, other] = [express(), express()];
    const messages = new Messages();
    messages.suit(app);
    const seen: object[] = [];
    app.get('/own', (req, res) => {
      seen.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
      res.json([req.app === app, req.query.x, req.get('host') === req.headers.host]);
    });
    other.get('/other', (req, res) => res.status(201).json(req.app === other));
    const server = createServer({ ...messages }, (req, res) => (req.url === '/other' ? other : app)(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ask = (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    assert.deepEqual(await (await ask('/own?x=1')).json(), [true, '1', true]);
    assert.deepEqual(seen, [messages.IncomingMessage.prototype, messages.ServerResponse.prototype]);
    const answer = await ask('/other');
    assert.deepEqual([answer.status, await answer.json()], [201, true]);
    server.closeAllConnections();
    server.close();
  });
});
