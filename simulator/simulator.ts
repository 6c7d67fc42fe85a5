import { messageOf } from '../core/model/errors.ts';
import type { BrokerLink, BrokerMessage, Clock, Log, Random } from '../core/model/ports.ts';
import { parse } from '../core/model/schema.ts';
import { SERVICES, type ServiceName } from '../core/model/services.ts';
import { Type } from '../core/model/type.ts';
import { ai } from './ai.ts';
import { asr } from './asr.ts';
import { audioin } from './audioin.ts';
import { motion } from './motion.ts';
import type { Part } from './role.ts';
import { BEHAVIOURS, SimulatedService } from './service.ts';
import { vision } from './vision.ts';
import { voice } from './voice.ts';

export interface SimulatorOptions {
  /** Whether visitors pass and speak by themselves. */
  ambient: boolean;
  heartbeatMs: number;
  /** How long every song is. */
  songMs: number;
  /** Between `asr/listen` and the text. */
  hearMs: number;
  /** Between `ai/request` and the response. */
  answerMs: number;
  /** Shortest and longest time between two motions that the camera sees. */
  motionMs: readonly [number, number];
  /** Shortest and longest time between two visitors who speak. */
  speechMs: readonly [number, number];
}

const DEFAULTS: SimulatorOptions = {
  ambient: true,
  heartbeatMs: 5000,
  songMs: 20_000,
  hearMs: 2000,
  answerMs: 1000,
  motionMs: [4000, 12_000],
  speechMs: [8000, 20_000],
};

export interface Simulator {
  readonly services: Record<ServiceName, SimulatedService>;
  /** Falls silent for good; the link stays open, it is its owner's to close. */
  stop(): Promise<void>;
}

const Order = Type.Object(
  {
    behaviour: Type.Union(BEHAVIOURS.map((behaviour) => Type.Literal(behaviour))),
    factor: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000 })),
  },
  { additionalProperties: false },
);

/**
 * Plays the six services of a skull over an MQTT connection of its own, and obeys `simulator/<service>`
 * `{"behaviour":"normal|silent|crashed|slow","factor"?}`.
 */
export function startSimulator({
  link,
  log,
  clock,
  random,
  options = {},
}: {
  link: BrokerLink;
  log: Log;
  clock: Clock;
  random: Random;
  options?: Partial<SimulatorOptions>;
}): Simulator {
  const { ambient, heartbeatMs, motionMs, speechMs, ...times } = { ...DEFAULTS, ...options };
  const parts: Record<ServiceName, Part> = {
    motion: motion(),
    vision: vision({ motionMs: ambient ? motionMs : undefined }),
    voice: voice(times),
    audioin: audioin({ speechMs: ambient ? speechMs : undefined }),
    asr: asr(times),
    ai: ai(times),
  };
  const world = { link, log, clock, random, heartbeatMs };
  const make = (name: ServiceName) => new SimulatedService(name, parts[name], world);
  const services: Record<ServiceName, SimulatedService> = {
    motion: make('motion'),
    vision: make('vision'),
    voice: make('voice'),
    audioin: make('audioin'),
    asr: make('asr'),
    ai: make('ai'),
  };

  function obey({ topic, payload }: BrokerMessage): void {
    const name = SERVICES.find((service) => topic === `simulator/${service}`);
    if (name === undefined) return;
    try {
      const { behaviour, factor } = parse(Order, JSON.parse(new TextDecoder().decode(payload)));
      services[name].behave(behaviour, factor);
      log.info({
        kind: 'service',
        msg: `The simulated service ${name} is ${behaviour} now.`,
        service: name,
        behaviour,
      });
    } catch (error) {
      log.warn({ kind: 'mqtt', msg: `${topic} is not an order to the simulator: ${messageOf(error)}`, topic });
    }
  }

  const unsubscribe = link.subscribe(['simulator/+'], obey);
  const unwatch = link.onConnection((connected) => {
    if (connected) for (const name of SERVICES) services[name].beat();
  });
  for (const name of SERVICES) services[name].behave('normal');

  return {
    services,
    stop: async () => {
      unsubscribe();
      unwatch();
      for (const name of SERVICES) services[name].behave('crashed');
    },
  };
}
