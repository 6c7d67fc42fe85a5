import type { Clock } from '../../core/model/ports.ts';

/** An echo that has not come by then does not come: the broker did not take the message. */
const EXPIRES_MS = 10_000;
const MAX_PER_TOPIC = 4096;

interface Expected {
  payload: string;
  expires: number;
}

/**
 * Recognises our own messages where the broker cannot be told to keep them back (MQTT 3.1.1): the payloads that were
 * published on a topic are expected back in that order. A foreign message with the very payload may be taken for ours;
 * ours then passes in its place.
 */
export class Echoes {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(topic: string, payload: string): void {
    const expires = this.#clock.now() + EXPIRES_MS;
    const queue = this.#expected.get(topic);
    if (queue === undefined) this.#expected.set(topic, [{ payload, expires }]);
    else {
      queue.push({ payload, expires });
      if (queue.length > MAX_PER_TOPIC) queue.shift();
    }
  }

  /** Whether this message is the echo of one of ours; it is then expected no more, nor is what came before it. */
  swallow(topic: string, payload: Uint8Array): boolean {
    const queue = this.#expected.get(topic);
    if (queue === undefined) return false;
    const now = this.#clock.now();
    const found = queue.findIndex((own) => own.expires > now && samePayload(own.payload, payload));
    if (found >= 0) queue.splice(0, found + 1);
    if (queue.every((own) => own.expires <= now)) this.#expected.delete(topic);
    return found >= 0;
  }

  clear(): void {
    this.#expected.clear();
  }
}

export function samePayload(text: string, payload: Uint8Array): boolean {
  return Buffer.byteLength(text) === payload.length && Buffer.from(text).equals(payload);
}
