import { Socket } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { deadline } from './numbers.ts';

const CONNECT_MS = 5000;

/** A bare mqtt.js client without Nagle's delay. */
export async function connect(url: string, topics: readonly string[]): Promise<MqttClient> {
  const client = await deadline(connectAsync(url, { reconnectPeriod: 0 }), CONNECT_MS, `A connection to ${url}`);
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  if (topics.length > 0) await deadline(client.subscribeAsync([...topics]), CONNECT_MS, `A subscription at ${url}`);
  return client;
}

/** One round of the conversation: what happens, and the state that follows each. */
export const CYCLE = [
  { topic: 'audio/vad', payload: '{"active":true}', state: 'Listen' },
  { topic: 'asr/text', payload: '{"text":"bonjour","final":true}', state: 'Think' },
  { topic: 'ai/response', payload: '{"text":"ok"}', state: 'Speak' },
  { topic: 'voice/state', payload: 'done', state: 'Idle' },
] as const;

export const STATE = 'orchestrator/state';

/** The n-th event of a conversation that goes on and on. */
export const eventAt = (n: number): (typeof CYCLE)[number] => CYCLE[n % CYCLE.length] ?? CYCLE[0];
