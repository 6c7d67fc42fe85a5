import type { MqttClient } from 'mqtt';
import { interleave, type Row, type RowGroup } from '../rows.ts';
import { MOSQUITTO, type Product, startEcho, startMosquitto, startProduct } from '../subjects.ts';
import { connect } from '../support/client.ts';
import { connectToStates, roundTrips } from '../support/conversation.ts';
import { deadline, median, quantile } from '../support/numbers.ts';
import { ask, rehearse } from '../support/songs.ts';

const NAMES = ['urgent task → voice/pause p50', 'urgent task → voice/pause p99'];
const SONG = 'swell';
/** Some two minutes: longer than a round takes. */
const SONG_BYTES = 5_000_000;
const TASK = JSON.stringify({ activity: 'say', args: { text: 'x' }, priority: 'URGENT' });

/**
 * Interrupts the song with an urgent task, again and again: once the task has been said and the song goes on, the next
 * one is posted. Returns the microseconds from task to pause.
 */
function interrupt(client: MqttClient, count: number): Promise<number[]> {
  const samples: number[] = [];
  let began = 0n;
  const post = () => {
    began = process.hrtime.bigint();
    client.publish('orchestrator/tasks/add', TASK);
  };
  const done = new Promise<number[]>((resolve) => {
    client.on('message', (topic, payload) => {
      if (topic === 'voice/pause') samples.push(Number(process.hrtime.bigint() - began) / 1000);
      else if (topic === 'voice/say') {
        const { id } = JSON.parse(payload.toString());
        client.publish('voice/state', JSON.stringify({ state: 'done', id }));
      } else if (samples.length < count) post();
      else resolve(samples);
    });
  });
  post();
  return deadline(done, 5000 + count * 20, 'A round of interruptions').finally(() =>
    client.removeAllListeners('message'),
  );
}

export const preempt: RowGroup = {
  name: 'preempt',
  async measure({ quick, skip, progress }) {
    if (MOSQUITTO === undefined) {
      skip(NAMES, 'mosquitto is not installed: apt-get install mosquitto');
      return [];
    }
    const [floorBroker, broker] = [await startMosquitto(), await startMosquitto()];
    const echo = await startEcho(floorBroker.mqttUrl);
    const [embedded, external] = [await startProduct(), await startProduct(broker.mqttUrl)];
    for (const product of [embedded, external]) await rehearse(product, SONG, SONG_BYTES);

    const events = quick ? 400 : 2000;
    const floor = async () => {
      const client = await connectToStates(floorBroker.mqttUrl);
      await roundTrips(client, events / 10);
      const samples = await roundTrips(client, events);
      await client.endAsync(true);
      return samples;
    };
    const subject = (product: Product) => async () => {
      await ask(product, 'POST', '/song/play', { song: SONG });
      const client = await connect(product.mqttUrl, ['voice/pause', 'voice/say', 'voice/resume']);
      await interrupt(client, events / 10);
      const samples = await interrupt(client, events);
      await client.endAsync(true);
      await ask(product, 'POST', '/song/stop');
      return samples;
    };
    const rounds = await interleave(
      quick ? 2 : 7,
      { echo: floor, embedded: subject(embedded), external: subject(external) },
      progress,
    );
    for (const process of [echo, embedded, external, floorBroker, broker]) await process.stop();

    const row = (name: 'embedded' | 'external', share: number, most?: number): Row => {
      const over = (samples: number[][]) => median(samples.map((round) => quantile(round, share)));
      return {
        name: `urgent task → voice/pause p${share * 100}, ${name} broker`,
        value: over(rounds[name]),
        unit: 'µs',
        against: { name: 'mqtt.js echo', value: over(rounds.echo) },
        ...(most !== undefined && { target: { at: 'most', value: most } }),
      };
    };
    return [row('embedded', 0.5), row('embedded', 0.99, 3), row('external', 0.5), row('external', 0.99, 3)];
  },
};
