import { SERVICES } from '../../core/model/services.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/simulator.ts';
import { SimulatedClock } from '../support/clock.ts';
import { countingRandom, keepingLog } from '../support/ports.ts';
import { MemoryBroker } from './memory-broker.ts';

export interface Heard {
  /** Milliseconds since the start. */
  at: number;
  topic: string;
  payload: unknown;
}

export interface Play {
  simulator: Simulator;
  clock: SimulatedClock;
  log: ReturnType<typeof keepingLog>;
  /** Sends as the orchestrator would. */
  send(topic: string, payload: unknown, retain?: boolean): void;
  /** What the services have said since the last call, heartbeats only where asked for by topic. */
  heard(...topics: string[]): Heard[];
}

/** The simulated services on a broker in memory, with an orchestrator's link to talk to them. */
export function play(options: Partial<SimulatorOptions> = {}, numbers?: readonly number[]): Play {
  const broker = new MemoryBroker();
  const clock = new SimulatedClock();
  const log = keepingLog();
  const start = clock.now();
  const orchestrator = broker.link();
  let all: Heard[] = [];
  orchestrator.subscribe(['#'], ({ topic, payload }) => {
    all.push({ at: clock.now() - start, topic, payload: JSON.parse(new TextDecoder().decode(payload)) });
  });
  const simulator = startSimulator({
    link: broker.link(),
    log,
    clock,
    random: countingRandom(numbers),
    options: { ambient: false, ...options },
  });
  const beats = new Set(SERVICES.map((service) => `${service}/heartbeat`));
  return {
    simulator,
    clock,
    log,
    send: (topic, payload, retain = false) =>
      orchestrator.publish(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { retain }),
    heard: (...topics) => {
      const wanted = all.filter((one) => (topics.length === 0 ? !beats.has(one.topic) : topics.includes(one.topic)));
      all = [];
      return wanted;
    },
  };
}
