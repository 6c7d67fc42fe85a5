import type { MqttClient } from 'mqtt';
import type { Client } from './client.ts';
import { nextOn } from './stage.ts';

const without = (value: unknown, ...keys: readonly string[]): unknown =>
  Object.fromEntries(Object.entries(Object(value)).filter(([key]) => !keys.includes(key)));

const withoutEach = (value: unknown, ...keys: readonly string[]): unknown[] =>
  Object.values(Object(value)).map((item) => without(item, ...keys));

const PLACES = [
  '/status',
  '/config',
  '/song?limit=500',
  '/clone/orchestrator/tasks?limit=500',
  '/clone/orchestrator/status',
  '/services',
];

/** All that a command may change, without what goes on by itself: times, and how the services are. */
export async function look(client: Client): Promise<unknown> {
  const [status, config, songs, tasks, priorities, services] = await Promise.all(
    PLACES.map((at) => client.must('GET', at)),
  );
  const { activity, services: _, ...rest } = Object(status);
  return {
    ...rest,
    uptime_seconds: 0,
    activity: without(activity, 'running_ms'),
    config,
    songs: songs?.items,
    tasks: withoutEach(tasks?.items, 'running_for'),
    lane: without(priorities?.state, 'tasks_completed'),
    units: withoutEach(services?.items, 'state', 'alive', 'last_seen', 'restarts'),
  };
}

const FENCE = 'contract/fence';
const COMMANDS = ['motion/#', 'voice/#', 'asr/#', 'ai/#', 'skull/#', 'orchestrator/state', 'orchestrator/estop'];

/** Everything that the skull asks of the others, as it leaves. */
export class Watch {
  readonly #broker: MqttClient;
  readonly #heard: string[] = [];

  private constructor(broker: MqttClient) {
    this.#broker = broker;
    broker.on('message', (topic, payload) => {
      if (topic !== FENCE) this.#heard.push(`${topic} ${payload}`);
    });
  }

  static async on(broker: MqttClient): Promise<Watch> {
    const watch = new Watch(broker);
    await broker.subscribeAsync([...COMMANDS, FENCE]);
    return watch;
  }

  /** What has been published since it was asked last: nothing that was published before the call is missing. */
  async heard(): Promise<string[]> {
    const fence = nextOn(this.#broker, FENCE);
    this.#broker.publish(FENCE, '');
    await fence;
    return this.#heard.splice(0);
  }
}
