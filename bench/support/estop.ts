import type { MqttClient } from 'mqtt';
import { deadline } from './numbers.ts';

export const LATCH = 'orchestrator/estop';
const LATCH_MS = 10_000;

/** Presses or releases; returns the microseconds until the latch says so. */
export async function press(client: MqttClient, payload: 'on' | 'off'): Promise<number> {
  let began = 0n;
  const latched = new Promise<number>((resolve) => {
    client.on('message', (_topic, message) => {
      if (message.toString() === payload) resolve(Number(process.hrtime.bigint() - began) / 1000);
    });
  });
  began = process.hrtime.bigint();
  client.publish('motion/estop', payload);
  return deadline(latched, LATCH_MS, `The latch ${payload}`).finally(() => client.removeAllListeners('message'));
}
