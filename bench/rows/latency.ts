import { interleave, type Row, type RowGroup } from '../rows.ts';
import { MOSQUITTO, startEcho, startMosquitto, startProduct } from '../subjects.ts';
import { connectToStates, enterConversation, roundTrips } from '../support/conversation.ts';
import { median, quantile } from '../support/numbers.ts';

const NAMES = ['event → state p50', 'event → state p99'];

export const latency: RowGroup = {
  name: 'latency',
  async measure({ quick, skip, progress }) {
    if (MOSQUITTO === undefined) {
      skip(NAMES, 'mosquitto is not installed: apt-get install mosquitto');
      return [];
    }
    const [floorBroker, broker] = [await startMosquitto(), await startMosquitto()];
    const echo = await startEcho(floorBroker.mqttUrl);
    const [embedded, external] = [await startProduct(), await startProduct(broker.mqttUrl)];
    for (const { mqttUrl } of [embedded, external]) await enterConversation(mqttUrl);

    const events = quick ? 800 : 4000;
    const subject = (mqttUrl: string) => async () => {
      const client = await connectToStates(mqttUrl);
      await roundTrips(client, events / 10);
      const samples = await roundTrips(client, events);
      await client.endAsync(true);
      return samples;
    };
    const rounds = await interleave(
      quick ? 2 : 7,
      { echo: subject(floorBroker.mqttUrl), embedded: subject(embedded.mqttUrl), external: subject(external.mqttUrl) },
      progress,
    );
    for (const process of [echo, embedded, external, floorBroker, broker]) await process.stop();

    const row = (name: 'embedded' | 'external', share: number, most?: number): Row => {
      const over = (samples: number[][]) => median(samples.map((round) => quantile(round, share)));
      return {
        name: `event → state p${share * 100}, ${name} broker`,
        value: over(rounds[name]),
        unit: 'µs',
        against: { name: 'mqtt.js echo', value: over(rounds.echo) },
        ...(most !== undefined && { target: { at: 'most', value: most } }),
      };
    };
    return [row('embedded', 0.5, 1), row('embedded', 0.99), row('external', 0.5, 1.25), row('external', 0.99, 2)];
  },
};
