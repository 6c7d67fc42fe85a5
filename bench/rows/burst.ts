import { interleave, type Row, type RowGroup } from '../rows.ts';
import { MOSQUITTO, startEcho, startMosquitto, startProduct } from '../subjects.ts';
import { type Burst, burst, connectToStates, enterConversation } from '../support/conversation.ts';
import { median, sleep } from '../support/numbers.ts';
import { forgetPeak, peakOf, rssOf } from '../support/proc.ts';

const EVENTS = 20_000;

interface Figures extends Burst {
  /** MiB. */
  peak: number;
}

export const burstOfEvents: RowGroup = {
  name: 'burst',
  async measure({ quick, skip, progress }) {
    if (MOSQUITTO === undefined) {
      skip(
        ['burst, events/s', 'burst, lost', 'burst, peak memory'],
        'mosquitto is not installed: apt-get install mosquitto',
      );
      return [];
    }
    const [floorBroker, broker] = [await startMosquitto(), await startMosquitto()];
    const echo = await startEcho(floorBroker.mqttUrl);
    const [embedded, external] = [await startProduct(), await startProduct(broker.mqttUrl)];
    for (const { mqttUrl } of [embedded, external]) await enterConversation(mqttUrl);
    await sleep(quick ? 1000 : 5000);
    const idle = { embedded: rssOf(embedded.pid), external: rssOf(external.pid) };

    const subject = (mqttUrl: string, pid: number) => async (): Promise<Figures> => {
      const client = await connectToStates(mqttUrl);
      forgetPeak(pid);
      const figures = await burst(client, EVENTS);
      const peak = peakOf(pid);
      await client.endAsync(true);
      await sleep(500);
      return { ...figures, peak };
    };
    const rounds = await interleave(
      quick ? 2 : 7,
      {
        echo: subject(floorBroker.mqttUrl, echo.pid),
        embedded: subject(embedded.mqttUrl, embedded.pid),
        external: subject(external.mqttUrl, external.pid),
      },
      progress,
    );
    for (const process of [echo, embedded, external, floorBroker, broker]) await process.stop();

    const rate = (figures: Figures[]) => median(figures.map(({ perSecond }) => perSecond));
    const rows = (['embedded', 'external'] as const).flatMap((name): Row[] => [
      {
        name: `burst of 20,000, ${name} broker`,
        value: rate(rounds[name]),
        unit: 'events/s',
        against: { name: 'mqtt.js echo', value: rate(rounds.echo) },
        target: { at: 'least', value: 0.75 },
      },
      {
        name: `burst, lost or out of order, ${name} broker`,
        value: rounds[name].reduce((sum, { lost, inOrder }) => sum + Math.max(lost, inOrder ? 0 : 1), 0),
        unit: 'events',
        target: { at: 'most', value: 0 },
      },
      {
        name: `burst, peak memory, ${name} broker`,
        value: Math.max(...rounds[name].map(({ peak }) => peak)),
        unit: 'MiB',
        against: { name: 'itself idle, RSS', value: idle[name] },
        target: { at: 'most', value: 1.5 },
      },
    ]);
    return rows;
  },
};
