/** The floor under the HTTP figures: a bare server that answers a JSON text of the given size. */
import { createServer } from 'node:http';

const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(Number(process.argv[2]) - '{"text":""}'.length) }));
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };

const server = createServer((_request, response) => response.writeHead(200, headers).end(body));
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
