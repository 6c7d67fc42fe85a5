import { asked } from '../../model/asked.ts';
import { SERVICES } from '../../model/services.ts';
import { type TSchema, Type } from '../../model/type.ts';
import { DEFAULTS, SECTION_NAMES, SECTIONS } from '../config/sections.ts';
import { Mode } from '../operations/service.ts';
import { Text } from '../tasks.ts';
import { SIGNALS, VOICE_STATES } from '../topics.ts';
import { type Channel, ESTOP_WORD, json, type Message, MODE_WORD, text, words } from './channel.ts';

const idOf = (topic: string): string => topic.replaceAll(/\W(\w)/g, (_, letter: string) => letter.toUpperCase());

interface Received {
  title: string;
  summary: string;
  description?: string;
  retain?: true;
  /** The plain words that are taken too. */
  word?: Message;
  /** The JSON object where it is not the signal's own. */
  object?: TSchema;
  examples: readonly unknown[];
}

const plain = (topic: string, schema: TSchema, ...examples: string[]): Message =>
  text(`${idOf(topic)}Word`, { title: 'In plain words' }, schema, examples);

/** Some services say null where they know no id. */
function nullableId(topic: string): TSchema {
  const { properties, ...rest }: TSchema & { properties?: Record<string, TSchema> } = schemaOf(topic);
  const id = Type.Union([Object(properties).id, Type.Null()], { description: 'Null, or absent: of what goes on now.' });
  return { ...rest, properties: { ...properties, id } };
}

function schemaOf(topic: string): TSchema {
  return asked(SIGNALS.get(topic)?.schema ?? Type.Unknown());
}

const TaskId = Type.String({ minLength: 1, maxLength: 200, description: "The task's id." });

/** What begins with a brace or a quotation mark is read as JSON. */
const spoken = (schema: TSchema): TSchema => ({ ...schema, pattern: '^\\s*[^\\s{"]' });

/** What is written on each of the skull's signals. */
const SENSES: Readonly<Record<string, Received>> = {
  'vision/motion': { title: 'Motion', summary: 'Something moves before the camera.', examples: [{ score: 0.9 }] },
  'vision/pose': { title: 'Pose', summary: 'Where somebody is, for the gaze.', examples: [{ x: 0.2, y: -0.1 }] },
  'audio/vad': {
    title: 'Voice activity',
    summary: 'Somebody begins or ceases to speak.',
    examples: [{ active: true }],
  },
  'asr/text': {
    title: 'Heard text',
    summary: 'What somebody said.',
    word: plain('asr/text', spoken(Text), 'bonjour'),
    examples: [{ text: 'bonjour', final: true }],
  },
  'ai/response': {
    title: 'Answer of the AI',
    summary: 'The answer to `ai/request`.',
    description: 'With another `id` than that of the request it is ignored; without one it is taken for its answer.',
    word: plain('ai/response', spoken(Text), 'Bonjour, vivant.'),
    object: nullableId('ai/response'),
    examples: [{ id: 'k3v9', text: 'Bonjour, vivant.' }],
  },
  'voice/state': {
    title: 'State of the voice',
    summary: 'What the voice does now.',
    description: 'Without an `id` it speaks of what is said or sung now; with that of something else it is ignored.',
    word: plain('voice/state', words(VOICE_STATES, 'What the voice does now.'), 'done'),
    object: nullableId('voice/state'),
    examples: [{ state: 'done', id: 'k3v9' }],
  },
  'motion/estop': {
    title: 'Emergency stop',
    summary: 'Press or release the emergency stop.',
    description: 'Pressed while the orchestrator was away it holds; a retained release does not release it.',
    retain: true,
    word: ESTOP_WORD,
    examples: [{ active: true }],
  },
  'skull/mode': {
    title: 'Mode',
    summary: 'Change the mode.',
    description: 'A retained value that was there before the orchestrator is ignored: it begins in `Idle`.',
    word: MODE_WORD,
    object: Type.Union([Type.Object({ state: Mode }), Type.Object({ mode: Mode })]),
    examples: ['Accueil', { state: 'Accueil' }],
  },
  'orchestrator/tasks/add': {
    title: 'New task',
    summary: 'Post a task, as `POST /clone/orchestrator/tasks` does.',
    description:
      'What is refused is told in the log. An activity `publish` publishes its `payload` on its `topic`, below `motion/`, `voice/`, `vision/`, `asr/` or `ai/`.',
    examples: [{ name: 'announcement', priority: 'URGENT', activity: 'say', args: { text: 'Silence !' } }],
  },
  'orchestrator/tasks/cancel': {
    title: 'Cancelled task',
    summary: 'Cancel a task.',
    word: plain('orchestrator/tasks/cancel', spoken(TaskId), 'k3v9'),
    examples: [{ id: 'k3v9' }],
  },
  'orchestrator/tasks/run': {
    title: 'Tasks start and stop',
    summary: 'Whether tasks may begin.',
    word: plain('orchestrator/tasks/run', words(['start', 'stop'], 'Whether tasks may begin.'), 'start', 'stop'),
    examples: [{ held: true }],
  },
};

function messagesOf(topic: string, { title, word, object = schemaOf(topic), examples }: Received): Message[] {
  const schema = word === undefined ? object : Type.Union([object, word.schema]);
  const message = json(idOf(topic), { title }, schema, examples);
  return word === undefined ? [message] : [word, message];
}

const senses = Object.entries(SENSES).map(([address, received]): Channel => {
  const { title, summary, description, retain = false } = received;
  const messages = messagesOf(address, received);
  return {
    address,
    title,
    receive: { summary, ...(description && { description }), retain, qos: 1, messages },
  };
});

const sections: Channel = {
  address: 'skull/config/{section}',
  title: 'Section of the configuration',
  parameters: { section: { description: 'The name of the section.', values: SECTION_NAMES } },
  receive: {
    summary: 'Replace a section of the configuration.',
    description:
      'Keys that are left out get their defaults. What does not fit is dropped, and the section that holds is published again.',
    retain: true,
    qos: 1,
    messages: SECTION_NAMES.map((section) =>
      json(`${section}Input`, { title: `Section ${section} as it shall be` }, asked(SECTIONS[section]), [
        DEFAULTS[section],
      ]),
    ),
  },
};

const heartbeats: Channel = {
  address: '{service}/heartbeat',
  title: 'Sign of life',
  parameters: { service: { description: 'The service that lives.', values: SERVICES } },
  receive: {
    summary: 'A service lives.',
    description:
      'Whatever it says; every other message that a service publishes here counts as a sign of its life too. A retained one is none.',
    retain: false,
    qos: 1,
    messages: [text('heartbeat', { title: 'Anything' }, Type.String(), ['alive'])],
  },
};

/** Every topic that the orchestrator listens to. */
export const RECEIVED: readonly Channel[] = [...senses, sections, heartbeats];
