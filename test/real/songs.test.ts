import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Skull } from '../runtime/skull-process.ts';
import { silence, TONES, tones } from '../support/mp3.ts';

const READY = /API +(http:\S+)\/status[\s\S]*ready in \d+ ms\n/;

describe('songs in a running orchestrator', function () {
  this.timeout(60_000);
  let home: string;
  let skull: Skull;
  let base: string;

  const start = async () => {
    skull = new Skull(['start'], { SKULL_HOME: home, PORT: '0', MQTT_PORT: '0', EDITOR: 'false', SIMULATOR: 'false' });
    base = (await skull.says(READY))[1] ?? '';
  };
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'skull-songs-'));
  });
  afterEach(async () => {
    await skull?.kill();
    rmSync(home, { recursive: true });
  });

  const ask = async (method: string, place: string, body?: BodyInit, headers: Record<string, string> = {}) => {
    const answer = await fetch(base + place, { method, headers, ...(body !== undefined && { body }) });
    return { status: answer.status, body: await answer.json() };
  };
  const upload = (name: string, content: Buffer, query = '') => {
    const form = new FormData();
    form.append('file', new File([new Uint8Array(content)], name));
    return ask('POST', `/song/upload${query}`, form);
  };
  const lying = () => readdirSync(path.join(home, 'songs'), { recursive: true }).sort();
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise(setImmediate);
  };

  it('are uploaded, listed, kept while they are sung, and deleted', async () => {
    await start();
    const song = { name: 'tónes', title: 'Tones', artist: 'A signal generator', duration_ms: 2484, size: 7606 };
    assert.deepEqual(await upload('tónes.mp3', tones()), { status: 200, body: song });
    assert.deepEqual((await ask('GET', '/song')).body, { items: [song], next_cursor: null });
    await until(() => existsSync(path.join(home, 'songs/tónes.jaw')));
    assert.deepEqual(lying(), ['.incoming', 'tónes.jaw', 'tónes.json', 'tónes.mp3']);
    assert.equal((await upload('tónes.mp3', tones())).status, 409);
    assert.equal((await upload('tónes.mp3', silence(40), '?replace=true')).body.duration_ms, 1045);

    const json = { 'content-type': 'application/json' };
    assert.equal((await ask('POST', '/song/play', JSON.stringify({ song: 'tónes' }), json)).status, 200);
    const place = `/song/${encodeURIComponent('tónes')}`;
    const busy = await ask('DELETE', place);
    assert.deepEqual([busy.status, busy.body.type], [409, 'urn:skull:problem:busy']);
    await ask('POST', '/song/stop');
    assert.deepEqual(await ask('DELETE', place), { status: 200, body: { name: 'tónes' } });
    assert.equal((await ask('DELETE', place)).status, 404);
    await until(() => lying().length === 1);
  });

  it('that are none are refused, and nothing of them stays', async () => {
    await start();
    assert.equal((await upload('x.mp3', Buffer.from('a text'))).status, 415);
    assert.match((await upload('x.mp3', tones().subarray(0, 5000))).body.detail, /truncated/);
    for (const name of ['../x.mp3', 'a/b.mp3', 'a\\b.mp3', '.x.mp3', 'x.wav']) {
      assert.equal((await upload(name, tones())).status, 422, name);
    }
    assert.deepEqual(lying(), ['.incoming']);
  });

  it('find no room on a full disk: nothing of them stays, and the skull goes on', async function () {
    const songs = path.join(home, 'songs');
    mkdirSync(songs);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', songs]);
    if (mounted.status !== 0) {
      const hint = 'needs root, to mount a small disk';
      assert.notEqual(process.env.CI, 'true', hint);
      if (this.test) this.test.title += ` (${hint})`;
      this.skip();
    }
    try {
      await start();
      const full = await upload('large.mp3', silence(2000));
      assert.deepEqual([full.status, full.body.type], [507, 'urn:skull:problem:storage-full']);
      assert.deepEqual(lying(), ['.incoming']);
      assert.equal((await upload('small.mp3', tones())).status, 200);
      await skull.kill();
    } finally {
      spawnSync('umount', ['-l', songs]);
    }
  });

  it('lose what was left of an upload by a power cut', async () => {
    const left = path.join(home, 'songs/.incoming/left.mp3');
    mkdirSync(path.dirname(left), { recursive: true });
    writeFileSync(left, readFileSync(TONES));
    await start();
    assert.equal((await ask('GET', '/song')).body.items.length, 0);
    await upload('x.mp3', tones());
    assert.ok(!existsSync(left));
  });
});
