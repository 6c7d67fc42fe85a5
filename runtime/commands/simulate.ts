import { systemClock, systemRandom } from '../../adapters/system.ts';
import type { Log, LogEntry } from '../../core/model/ports.ts';
import { loadEnvironment } from '../env.ts';
import { endWithProcess } from '../process.ts';

const print = ({ kind, msg }: LogEntry): void => void process.stdout.write(`${kind} ${msg}\n`);
const complain = ({ kind, msg }: LogEntry): void => void process.stderr.write(`${kind} ${msg}\n`);
const log: Log & { flushSync(): void } = {
  debug: () => {},
  info: print,
  warn: complain,
  error: complain,
  flushSync: () => {},
};

/** `skull simulate`: plays the six services at the broker that the environment names, until a signal comes. */
export async function simulate(): Promise<void> {
  const env = loadEnvironment();
  const url = env.mqttUrl ?? `mqtt://${env.mqttHost}:${env.mqttPort}`;
  const { connectMqtt } = await import('../../adapters/broker/mqtt-link.ts');
  const { startSimulator } = await import('../../simulator/simulator.ts');
  const link = connectMqtt({ url, username: env.mqttUsername, password: env.mqttPassword, log });
  const simulator = startSimulator({ link, log, clock: systemClock, random: systemRandom });
  endWithProcess({
    log,
    stop: async () => {
      await simulator.stop();
      await link.close();
    },
  });
  process.stdout.write(`Playing motion, vision, voice, audioin, asr and ai at ${link.url}\n`);
}
