import mqtt, { type MqttClient } from 'mqtt';

interface Seen {
  topic: string;
  payload: string;
  retain: boolean;
}

/** Sees every message from now on, and waits for what is to come. */
export class Watcher {
  readonly seen: Seen[] = [];
  readonly client: MqttClient;
  #wake: () => void = () => undefined;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain }) => {
      this.seen.push({ topic, payload: payload.toString(), retain });
      this.#wake();
    });
  }

  static async on(url: string): Promise<Watcher> {
    const watcher = new Watcher(await mqtt.connectAsync(url, { reconnectPeriod: 50 }));
    await watcher.client.subscribeAsync('#');
    return watcher;
  }

  say(topic: string, payload: unknown, retain = false): void {
    this.client.publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { retain });
  }

  /** The first message on the topic, seen already or to come, that the test accepts; it and all before it are taken. */
  async next(topic: string, accepts: string | ((payload: string) => boolean) = () => true): Promise<string> {
    const fits = typeof accepts === 'string' ? (payload: string) => payload === accepts : accepts;
    for (;;) {
      const at = this.seen.findIndex((one) => one.topic === topic && fits(one.payload));
      if (at >= 0) return this.seen.splice(0, at + 1).at(-1)?.payload ?? '';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async json(topic: string, accepts?: (payload: string) => boolean): Promise<Record<string, unknown>> {
    return JSON.parse(await this.next(topic, accepts)) as Record<string, unknown>;
  }

  /** Resolves when everything published before has come through. */
  async settled(): Promise<void> {
    const mark = `${Math.random()}`;
    this.say('test/mark', mark);
    for (;;) {
      if (this.seen.some(({ payload }) => payload === mark)) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
