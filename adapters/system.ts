import { randomUUID } from 'node:crypto';
import type { Clock, Random } from '../core/model/ports.ts';

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export const systemRandom: Random = {
  /** 48 random bits. */
  id: () => randomUUID().slice(-12),
  next: Math.random,
};
