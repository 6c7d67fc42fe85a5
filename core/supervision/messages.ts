import { ERROR_CODES, type ErrorCode, SkullError } from '../model/errors.ts';
import { parse } from '../model/schema.ts';
import { UNIT_STATES, type UnitState, VERBS, type Verb } from '../model/service-manager.ts';
import { SERVICES, type ServiceName } from '../model/services.ts';
import { Type } from '../model/type.ts';

/** Jobs on the six services, and what became of them, as messages: a topic and a payload that JSON can hold. */

/** What may be asked of a service. `status` is answered from what was last heard of its unit. */
export const ORDERS = [...VERBS, 'status'] as const;
export type Order = (typeof ORDERS)[number];

export interface Message {
  topic?: unknown;
  payload?: unknown;
}

const Done = Type.Object({ service: Type.Enum([...SERVICES]), state: Type.Enum([...UNIT_STATES]) });
const Failed = Type.Object({
  service: Type.Enum([...SERVICES]),
  verb: Type.Enum([...VERBS]),
  code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[]),
  message: Type.String(),
});

const isVerb = (word: unknown): word is Verb => VERBS.some((verb) => verb === word);

/** Text from outside, as much of it as an error message may hold. */
const quoted = (value: unknown): string => JSON.stringify(value ?? '').slice(0, 60);

/** The one of these words that is meant. Throws `not_allowed` where it is none of them, down to the last character. */
function oneOf<T extends string>(words: readonly T[], given: unknown, what: string): T {
  const word = words.find((each) => each === given);
  if (word === undefined) {
    throw new SkullError('not_allowed', `${what} must be one of ${words.join(', ')}, not ${quoted(given)}.`);
  }
  return word;
}

const serviceIn = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && 'service' in payload ? payload.service : payload;

/**
 * Which order is meant for which service; what is fixed wins over the message. Throws `not_allowed` for anything but the
 * six services and the four orders.
 */
export function orderOf(
  { topic, payload }: Message,
  fixed: { verb?: unknown; service?: unknown } = {},
): { verb: Order; service: ServiceName } {
  return {
    verb: oneOf(ORDERS, fixed.verb || topic, 'The order'),
    service: oneOf(SERVICES, fixed.service || serviceIn(payload), 'The service'),
  };
}

export const doneMessage = (verb: Order, service: ServiceName, state: UnitState) => ({
  topic: verb,
  payload: { service, state },
});

export const failedMessage = (verb: Order, service: ServiceName, { code, message }: SkullError) => ({
  topic: 'failed',
  payload: { service, verb, code, message },
});

/** What became of a job; `error` where it failed. Throws `invalid` for a message that does not say it. */
export function outcomeOf({ topic, payload }: Message): { verb: Verb; service: ServiceName; error?: SkullError } {
  if (isVerb(topic)) return { verb: topic, service: parse(Done, payload, { what: `The payload of ${topic}` }).service };
  if (topic !== 'failed') {
    throw new SkullError('invalid', `msg.topic must be ${VERBS.join(', ')} or failed, not ${quoted(topic)}.`);
  }
  const { verb, service, code, message } = parse(Failed, payload, { what: 'The payload of failed' });
  return { verb, service, error: new SkullError(code, message) };
}
