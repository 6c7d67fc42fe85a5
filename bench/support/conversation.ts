import type { MqttClient } from 'mqtt';
import { connect, eventAt, STATE } from './client.ts';
import { deadline, sleep } from './numbers.ts';

/** Sets the skull to converse and waits until it is free. */
export async function enterConversation(mqttUrl: string): Promise<void> {
  const client = await connect(mqttUrl, []);
  const free = new Promise<void>((resolve) => {
    client.on('message', (_topic, payload) => payload.toString() === 'Idle' && resolve());
  });
  client.publish('skull/mode', 'IA');
  await sleep(200);
  await client.subscribeAsync(STATE);
  await deadline(free, 5000, 'A free skull');
  await client.endAsync(true);
}

/** The client, subscribed to the states, with the retained one already behind it. */
export async function connectToStates(mqttUrl: string): Promise<MqttClient> {
  const client = await connect(mqttUrl, [STATE]);
  await sleep(100);
  return client;
}

/**
 * Goes through the conversation one event at a time, each after the state that the last one made. Returns the
 * microseconds from event to state; throws when another state comes.
 */
export function roundTrips(client: MqttClient, count: number): Promise<number[]> {
  const samples: number[] = [];
  let began = 0n;
  const tell = () => {
    const { topic, payload } = eventAt(samples.length);
    began = process.hrtime.bigint();
    client.publish(topic, payload);
  };
  const done = new Promise<number[]>((resolve, reject) => {
    client.on('message', (_topic, payload) => {
      const took = Number(process.hrtime.bigint() - began) / 1000;
      const state = payload.toString();
      const expected = eventAt(samples.length);
      if (state !== expected.state) {
        reject(new Error(`${expected.topic} made the state ${state} instead of ${expected.state}`));
        return;
      }
      samples.push(took);
      if (samples.length < count) tell();
      else resolve(samples);
    });
  });
  tell();
  return deadline(done, 5000 + count * 10, 'A round of conversations').finally(() =>
    client.removeAllListeners('message'),
  );
}

export interface Burst {
  perSecond: number;
  lost: number;
  inOrder: boolean;
}

const GIVE_UP_MS = 5000;

/** Publishes so many events at once and takes the states that come of them, until all have or none comes any more. */
export async function burst(client: MqttClient, count: number): Promise<Burst> {
  let states = 0;
  let inOrder = true;
  let last = 0;
  const began = performance.now();
  client.on('message', (_topic, payload) => {
    inOrder &&= payload.toString() === eventAt(states).state;
    states++;
    last = performance.now();
  });
  for (let n = 0; n < count; n++) {
    const { topic, payload } = eventAt(n);
    client.publish(topic, payload);
  }
  last = performance.now();
  while (states < count && performance.now() - last < GIVE_UP_MS) await sleep(5);
  client.removeAllListeners('message');
  return { perSecond: (states / (last - began)) * 1000, lost: count - states, inOrder };
}
