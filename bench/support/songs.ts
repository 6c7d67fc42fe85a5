import { readFileSync } from 'node:fs';
import path from 'node:path';
import { API_KEY, type Product } from '../subjects.ts';
import { connect } from './client.ts';
import { deadline } from './numbers.ts';
import { ROOT } from './process.ts';

/** 627 ms at 320 kbit/s, made with LAME of tones and noise out of a generator: it swells and fades, and is never silent. */
const SWELL = path.join(ROOT, 'bench/load/swell.mp3');
const JAW_MS = 30_000;

/** An MP3 of so many bytes or a little less: the same swell over and over. */
export function songOf(bytes: number): Buffer {
  const swell = readFileSync(SWELL);
  return Buffer.concat(Array(Math.floor(bytes / swell.length)).fill(swell));
}

export async function ask({ httpUrl }: Product, method: string, route: string, body?: object): Promise<void> {
  const form = body instanceof FormData;
  const answer = await fetch(`${httpUrl}${route}`, {
    method,
    headers: { 'x-api-key': API_KEY, ...(!form && body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: form ? body : JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${route} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** Uploads a song and plays it until the jaw moves: from then on all that is to be known of it is known. */
export async function rehearse(product: Product, song: string, bytes: number): Promise<void> {
  const form = new FormData();
  form.set('file', new File([new Uint8Array(songOf(bytes))], `${song}.mp3`));
  await ask(product, 'POST', '/song/upload?replace=true', form);
  const client = await connect(product.mqttUrl, ['motion/jaw']);
  const opened = new Promise<void>((resolve) => {
    client.on('message', (_topic, payload) => JSON.parse(payload.toString()).open > 0 && resolve());
  });
  await ask(product, 'POST', '/song/play', { song });
  await deadline(opened, JAW_MS, 'A jaw that moves');
  await client.endAsync(true);
  await ask(product, 'POST', '/song/stop');
}
