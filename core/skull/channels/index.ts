import type { Channel } from './channel.ts';
import { RECEIVED } from './received.ts';
import { SENT } from './sent.ts';

const both = (channel: Channel): Channel => {
  const { send } = SENT.find(({ address }) => address === channel.address) ?? {};
  return send === undefined ? channel : { ...channel, send };
};

/** Everything that is said over MQTT: what the document of it and its test follow. */
export const CHANNELS: readonly Channel[] = [
  ...RECEIVED.map(both),
  ...SENT.filter(({ address }) => !RECEIVED.some((channel) => channel.address === address)),
];
