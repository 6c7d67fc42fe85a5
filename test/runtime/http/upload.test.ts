import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import express, { type Request } from 'express';
import { operationOf } from '../../../core/skull/operations/index.ts';
import { readEnvironment } from '../../../runtime/env.ts';
import { createHttpApp } from '../../../runtime/http/app.ts';
import { answerProblem } from '../../../runtime/http/problems.ts';
import { createUpload, MAX_FILE_BYTES } from '../../../runtime/http/upload.ts';
import { keepingLog } from '../../support/ports.ts';

/** The guard and the upload in front of a route that tells what reaches it. */
describe('an upload', () => {
  let home: string;
  let server: Server;
  let base: string;
  /** What reached the route, with what lay at the path it was given. */
  let reached: { filename: string; size: number; content: Buffer }[];

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-upload-'));
    reached = [];
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  const take: RequestListener = (req, res) => {
    const { file } = (req as Request).body;
    reached.push({ ...file, content: readFileSync(file.path) });
    res.end(JSON.stringify(file));
  };
  const listen = async (answer: RequestListener) => {
    server = createServer(answer).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const start = async (variables: Record<string, string> = {}) => {
    const redHttpNode = express().post('/song/upload', take);
    const env = readEnvironment({ HOST: '127.0.0.1', SKULL_HOME: home, ...variables });
    await listen(createHttpApp({ env, log: keepingLog(), redHttpNode, isReady: () => true }));
  };

  const incoming = () => readdirSync(path.join(home, 'songs/.incoming'));
  const isClean = () => assert.deepEqual(existsSync(path.join(home, 'songs/.incoming')) ? incoming() : [], []);

  const TYPE = 'multipart/form-data; boundary=x';
  const part = (name: string, filename: string | undefined, content: Buffer | string) =>
    Buffer.concat([
      Buffer.from(`--x\r\nContent-Disposition: form-data; name="${name}"`),
      Buffer.from(filename === undefined ? '\r\n\r\n' : `; filename="${filename}"\r\nContent-Type: audio/mpeg\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]);
  const END = Buffer.from('--x--\r\n');
  const post = (body: Uint8Array | ReadableStream, headers: Record<string, string> = {}, query = '') => {
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      body: body as BodyInit,
      headers: { 'content-type': TYPE, ...headers },
      duplex: 'half',
    };
    return fetch(`${base}/song/upload${query}`, init);
  };
  const form = (...parts: Buffer[]) => Buffer.concat([...parts, END]);
  const refused = async (status: number, answer: Promise<Response>) => {
    const answered = await answer;
    const problem = await answered.json();
    assert.equal(answered.status, status, JSON.stringify(problem));
    assert.match(String(answered.headers.get('content-type')), /^application\/problem\+json/);
    isClean();
    assert.deepEqual(reached, []);
    return problem;
  };

  it('comes to disk, and is gone once it has been answered', async () => {
    await start();
    const content = Buffer.alloc(300_000, 'x');
    const answer = await post(form(part('file', 'x.mp3', content)));
    const { path: file, ...rest } = await answer.json();
    assert.deepEqual(rest, { filename: 'x.mp3', size: 300_000 });
    assert.equal(path.dirname(file), path.join(home, 'songs/.incoming'));
    assert.deepEqual(reached[0]?.content, content);
    server.close();
    while (existsSync(file)) await new Promise(setImmediate);
    isClean();
  });

  it('keeps its name as it was sent', async () => {
    await start();
    for (const name of ['../é 🎃.mp3', 'a\\b.mp3', '/etc/x.mp3', 'x']) {
      assert.equal((await (await post(form(part('file', name, 'x')))).json()).filename, name);
    }
    const { filename } = await (await post(form(part('file', 'a%22b.mp3', 'x')))).json();
    assert.equal(filename, 'a"b.mp3');
  });

  it('clears what others left that were never finished', async () => {
    await start();
    mkdirSync(path.join(home, 'songs/.incoming'), { recursive: true });
    writeFileSync(path.join(home, 'songs/.incoming/left'), 'x');
    await refused(400, post(form()));
  });

  it('is refused before it is read to whom may not', async () => {
    await start({ API_KEYS: 'viewer:look,editor:edit' });
    const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.alloc(65_536)) });
    assert.equal((await post(endless())).status, 401);
    assert.equal((await post(endless(), { 'x-api-key': 'look' })).status, 403);
    assert.ok(!existsSync(path.join(home, 'songs')));
    assert.equal((await post(form(part('file', 'x.mp3', 'x')), { 'x-api-key': 'edit' })).status, 200);
  });

  it('is refused before it is read where its query is wrong', async () => {
    await start();
    await refused(400, post(form(part('file', 'x.mp3', 'x')), {}, '?replace=perhaps'));
    await refused(400, post(form(part('file', 'x.mp3', 'x')), {}, '?force=true'));
    assert.ok(!existsSync(path.join(home, 'songs')));
  });

  it('of another type is refused', async () => {
    await start();
    const file = { path: '/etc/passwd', filename: 'x.mp3', size: 1 };
    for (const type of ['application/json', 'multipart/mixed; boundary=x', 'audio/mpeg']) {
      await refused(415, post(Buffer.from(JSON.stringify({ file })), { 'content-type': type }));
    }
  });

  it('that is no form with one file says what is wrong', async () => {
    await start();
    const song = part('file', 'x.mp3', 'x');
    const field = async (...parts: Buffer[]) => (await refused(400, post(form(...parts)))).errors[0].path;
    assert.equal(await field(), '/file');
    assert.equal(await field(part('file', '', 'x')), '/file');
    assert.equal(await field(part('file', undefined, 'x.mp3')), '/file');
    assert.equal(await field(part('song', 'x.mp3', 'x')), '/song');
    assert.equal(await field(song, song), '/file');
    assert.equal(await field(song, part('title', undefined, 'x')), '/title');
    await refused(400, post(form(...Array(20).fill(part('title', undefined, 'x')), song)));
    await refused(400, post(form(part('title', undefined, 'x'.repeat(10_000)), song)));
    await refused(400, post(song));
    await refused(400, post(Buffer.from('--x\r\nno header\r\n')));
    await refused(400, post(form(song), { 'content-type': 'multipart/form-data' }));
  });

  describe('of more than 50 MB', () => {
    it('is refused by its announced length', async () => {
      await start();
      const socket = await open(`Content-Length: ${MAX_FILE_BYTES + 100_000}`);
      assert.match(await socket.answer, /^HTTP\/1\.1 413 /);
      isClean();
      socket.destroy();
    });

    it('is refused as soon as it is more, while it is still sent', async () => {
      await start();
      const socket = await open('Transfer-Encoding: chunked');
      const send = (content: Buffer) =>
        new Promise((resolve) => {
          socket.write(`${content.length.toString(16)}\r\n`);
          socket.write(content);
          socket.write('\r\n', resolve);
        });
      await send(part('file', 'x.mp3', '').subarray(0, -2));
      const piece = Buffer.alloc(2 ** 20);
      for (let sent = 0; sent < MAX_FILE_BYTES; sent += piece.length) await send(piece);
      await send(Buffer.from('x'));
      assert.match(await socket.answer, /^HTTP\/1\.1 413 /);
      isClean();
      socket.destroy();
    });

    it('is refused to a sender who reads no answer before all is sent', async () => {
      await start();
      const socket = await open(`Content-Length: ${MAX_FILE_BYTES + 2 ** 22}`);
      const piece = Buffer.alloc(2 ** 20);
      for (let sent = 0; sent < MAX_FILE_BYTES; sent += piece.length) {
        await new Promise<void>((resolve, reject) => {
          socket.write(piece, (error) => (error ? reject(error) : resolve()));
        });
      }
      assert.match(await socket.answer, /^HTTP\/1\.1 413 /);
      socket.destroy();
    });

    it('is taken up to the last byte that may be', async () => {
      await start();
      const answer = await post(form(part('file', 'x.mp3', Buffer.alloc(MAX_FILE_BYTES))));
      assert.deepEqual([answer.status, (await answer.json()).size], [200, MAX_FILE_BYTES]);
    });
  });

  /** A connection on which the head of an upload has been sent; `answer`: the first that comes back. */
  async function open(header: string): Promise<Socket & { answer: Promise<string> }> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const answer = new Promise<string>((resolve, reject) => {
      socket.once('data', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    socket.write(`POST /song/upload HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\n${header}\r\n\r\n`);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    return Object.assign(socket, { answer });
  }

  /** Resolves once a file is coming in, or none is any more. */
  async function isComing(wanted: boolean): Promise<void> {
    const there = () => existsSync(path.join(home, 'songs/.incoming')) && incoming().length > 0;
    while (there() !== wanted) await new Promise(setImmediate);
  }

  it('that breaks off leaves nothing', async () => {
    await start();
    const socket = await open('Content-Length: 100000');
    socket.write(part('file', 'x.mp3', Buffer.alloc(10_000)));
    await isComing(true);
    socket.on('error', () => {});
    socket.resetAndDestroy();
    await isComing(false);
    assert.deepEqual(reached, []);
  });

  it('that stands still is given up', async () => {
    const operation = operationOf('uploadSong') ?? assert.fail();
    const upload = createUpload(home, { silenceMs: 100 });
    await listen(
      express().use((req, res) => upload(req, res, operation, (error) => answerProblem(req, res, error, keepingLog()))),
    );
    const socket = await open('Content-Length: 100000');
    socket.write(part('file', 'x.mp3', Buffer.alloc(10_000)));
    assert.match(await socket.answer, /^HTTP\/1\.1 400 [\s\S]*nothing more of it came/);
    isClean();
    socket.destroy();
  });
});
