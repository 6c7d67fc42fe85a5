import type { Channel, Exchange, Message, Parameter } from '../../core/skull/channels/channel.ts';
import { CHANNELS } from '../../core/skull/channels/index.ts';
import { Schemas } from './schemas.ts';

type Json = Record<string, unknown>;

const BINDING = '0.2.0';
const WILL = 'orchestrator/availability';

/** Who speaks or listens at the other end: the first level of a topic. */
const TAGS: Readonly<Record<string, string>> = {
  orchestrator: 'What the orchestrator tells of itself, and the tasks that it is given.',
  skull: 'The mode and the configuration.',
  motion: 'The service that moves the servos; the emergency stop.',
  vision: 'The service that sees.',
  voice: 'The service that speaks and sings.',
  audio: 'The service `audioin`, which hears that somebody speaks.',
  asr: 'The service that understands what is said.',
  ai: 'The service that answers.',
  service: 'Each of the six services.',
};

const DESCRIPTION = `The topics of a talking animatronic skull: what its six services (motion, vision, voice, audioin, asr, ai) and anybody else may tell the orchestrator, and what it tells them. Operations are seen from the orchestrator: it *receives* and *sends*.

Payloads are UTF-8. Where a plain word or text is taken (\`text/plain\`), so is the same as JSON (\`application/json\`): \`Accueil\`, \`"Accueil"\` and \`{"state":"Accueil"}\` are one. A payload that does not fit, or is larger than 64 KiB, is dropped, counted, and logged once a minute for each topic; it never changes anything.

What is retained is no sign of life and, the emergency stop apart, no signal: only what is published while the orchestrator listens counts. It publishes every retained topic again after a lost connection.

The REST interface of the same orchestrator is described at \`/openapi.json\`.`;

const first = ({ address }: Channel): string => address.split('/', 1)[0]?.replace(/[{}]/g, '') ?? '';

/** `motion/servo/{name}/limits` → `motionServoNameLimits`. */
const idOf = ({ address }: Channel): string =>
  address.replaceAll(/[{}]/g, '').replaceAll(/\W(\w)/g, (_, letter: string) => letter.toUpperCase());

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

function parametersOf(parameters: Readonly<Record<string, Parameter>>): Json {
  const of = ({ description, values, examples }: Parameter): Json => ({
    description,
    ...(values && { enum: values }),
    ...(examples && { examples }),
  });
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, of(parameter)]));
}

const exchangesOf = ({ receive, send }: Channel): Exchange[] => [receive, send].filter((one) => one !== undefined);

function channelOf(channel: Channel): Json {
  const { address, title, parameters } = channel;
  const ids = exchangesOf(channel).flatMap(({ messages }) => messages.map(({ id }) => id));
  return {
    address,
    title,
    messages: Object.fromEntries(ids.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
    ...(parameters && { parameters: parametersOf(parameters) }),
  };
}

function operationsOf(channel: Channel): [string, Json][] {
  const id = idOf(channel);
  return (['receive', 'send'] as const).flatMap((action): [string, Json][] => {
    const { summary, description, retain, qos, messages }: Partial<Exchange> = channel[action] ?? {};
    if (messages === undefined) return [];
    const operation = {
      action,
      channel: { $ref: `#/channels/${id}` },
      title: channel.title,
      summary,
      ...(description && { description }),
      tags: [{ $ref: `#/components/tags/${first(channel)}` }],
      bindings: { mqtt: { qos, retain, bindingVersion: BINDING } },
      messages: messages.map((message) => ({ $ref: `#/channels/${id}/messages/${message.id}` })),
    };
    return [[`${action}${capital(id)}`, operation]];
  });
}

function messageOf({ id, title, description, type, schema, examples }: Message, schemas: Schemas): Json {
  return {
    name: id,
    title,
    ...(description && { description }),
    contentType: type,
    payload: schemas.refer(schema),
    examples: examples.map((payload) => ({ payload })),
  };
}

const availability = {
  mqtt: { lastWill: { topic: WILL, qos: 0, retain: true, message: 'offline' }, bindingVersion: BINDING },
};
const login = [{ $ref: '#/components/securitySchemes/login' }];

const SERVERS = {
  embedded: {
    host: '{host}:{port}',
    protocol: 'mqtt',
    protocolVersion: '3.1.1',
    description: 'The embedded broker: it runs inside the orchestrator where no `MQTT_URL` is set.',
    variables: {
      host: { default: '127.0.0.1', description: '`MQTT_HOST`' },
      port: { default: '1883', description: '`MQTT_PORT`' },
    },
    security: login,
    bindings: availability,
  },
  external: {
    host: '{host}:{port}',
    protocol: 'mqtt',
    protocolVersion: '5.0',
    description:
      'A broker of your own: the one that `MQTT_URL` names, also by TLS (`mqtts://`) or by MQTT 3.1.1. There the orchestrator also publishes empty marks on `$skull/{client id}`, which it alone reads.',
    variables: {
      host: { default: 'localhost', description: 'From `MQTT_URL`.' },
      port: { default: '1883', description: 'From `MQTT_URL`; 8883 by TLS.' },
    },
    security: login,
    bindings: availability,
  },
};

/** The AsyncAPI 3 document of all that is said over MQTT. */
export function asyncApiDocument(version: string): Json {
  const schemas = new Schemas();
  const messages = CHANNELS.flatMap(exchangesOf).flatMap((exchange) => exchange.messages);
  const written = Object.fromEntries(messages.map((message) => [message.id, messageOf(message, schemas)]));
  const tags = [...new Set(CHANNELS.map(first))];
  return {
    asyncapi: '3.1.0',
    id: 'urn:skull:orchestrator',
    info: {
      title: 'Skull Orchestrator',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      tags: tags.map((tag) => ({ $ref: `#/components/tags/${tag}` })),
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: Object.fromEntries(CHANNELS.map((channel) => [idOf(channel), channelOf(channel)])),
    operations: Object.fromEntries(CHANNELS.flatMap(operationsOf)),
    components: {
      tags: Object.fromEntries(tags.map((name) => [name, { name, description: TAGS[name] }])),
      securitySchemes: {
        login: {
          type: 'userPassword',
          description: '`MQTT_USERNAME` and `MQTT_PASSWORD`; an embedded broker on 127.0.0.1 asks for none.',
        },
      },
      messages: written,
      schemas: schemas.components(),
    },
  };
}
