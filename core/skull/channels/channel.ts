import { type TSchema, Type } from '../../model/type.ts';
import { Mode } from '../operations/service.ts';

/** One form that the payload of a topic may have. */
export interface Message {
  /** camelCase, the same for the same form. */
  id: string;
  title: string;
  description?: string;
  /** `text/plain`: the payload is the text itself, as `Idle`; else it is JSON. */
  type: 'text/plain' | 'application/json';
  schema: TSchema;
  examples: readonly unknown[];
}

/** One direction of a topic, seen from the orchestrator. */
export interface Exchange {
  summary: string;
  description?: string;
  /** Whether the broker keeps the last message for who comes later. */
  retain: boolean;
  /** Of a message that is sent; of the subscription where it is received. */
  qos: 0 | 1;
  messages: readonly Message[];
}

export interface Parameter {
  description: string;
  /** All that it can be; absent: anything that is one level of a topic. */
  values?: readonly string[];
  examples?: readonly string[];
}

/** A topic, or all topics of one pattern. */
export interface Channel {
  /** With its parameters in braces: `skull/config/{section}`. */
  address: string;
  title: string;
  parameters?: Readonly<Record<string, Parameter>>;
  receive?: Exchange;
  send?: Exchange;
}

type About = Pick<Message, 'title' | 'description'>;

/** A payload that is a word or a text. */
export const text = (id: string, about: About, schema: TSchema, examples: readonly string[]): Message => ({
  id,
  ...about,
  type: 'text/plain',
  schema,
  examples,
});

export const json = (id: string, about: About, schema: TSchema, examples: readonly unknown[]): Message => ({
  id,
  ...about,
  type: 'application/json',
  schema,
  examples,
});

export const words = (values: readonly string[], description: string): TSchema =>
  Type.Enum([...values], { description });

const Switch = words(['on', 'off'], '`on`: nothing moves until it is `off`.');

/** What is heard and said in the same words. */
export const ESTOP_WORD = text('estopWord', { title: 'Emergency stop' }, Switch, ['on', 'off']);
export const MODE_WORD = text('modeWord', { title: 'Mode' }, Mode, ['Accueil']);
