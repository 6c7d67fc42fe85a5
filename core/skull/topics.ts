import type { ServiceName } from '../model/services.ts';
import { type Static, type TSchema, Type } from '../model/type.ts';
import { NewTask, Text } from './tasks.ts';

export const MODES = ['Idle', 'Accueil', 'Chanson', 'IA', 'FullAuto'] as const;
export type Mode = (typeof MODES)[number];

export const STATES = ['Idle', 'Track', 'Talk', 'Sing', 'Listen', 'Think', 'Speak', 'Sleep'] as const;
export type State = (typeof STATES)[number];

const Id = Type.String({ minLength: 1, maxLength: 200, description: 'Of the activity that it belongs to.' });
export const VOICE_STATES = ['speaking', 'playing', 'paused', 'done', 'idle', 'error'] as const;

const MotionScore = Type.Object({
  score: Type.Number({ minimum: 0, maximum: 1, description: 'How much moves: 0 nothing, 1 everything.' }),
});
const Pose = Type.Object({
  x: Type.Number({ minimum: -1, maximum: 1, description: 'Across the picture, -1 and 1 at its edges.' }),
  y: Type.Number({ minimum: -1, maximum: 1, description: 'Up and down the picture, -1 and 1 at its edges.' }),
});
const VoiceActivity = Type.Object({ active: Type.Boolean({ description: 'Whether somebody speaks.' }) });
const HeardText = Type.Object({
  text: Text,
  final: Type.Boolean({ default: true, description: 'False while the sentence may still change.' }),
});
const AiResponse = Type.Object({ text: Text, id: Type.Optional(Id) });
const VoiceState = Type.Object({
  state: Type.Enum([...VOICE_STATES], { description: '`done`, `idle` and `error` end what is said or sung.' }),
  id: Type.Optional(Id),
  position_ms: Type.Optional(
    Type.Number({ minimum: 0, maximum: 86_400_000, description: 'Where in the song the voice is.' }),
  ),
});
const Hold = Type.Object({ held: Type.Boolean({ description: 'Whether no task may begin.' }) });
const Which = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200, description: "The task's id." }) });
const Estop = Type.Object({ active: Type.Boolean({ description: 'Whether the emergency stop is on.' }) });
const ModeWord = Type.Enum([...MODES]);
export type Estop = Static<typeof Estop>;

/** How a signal of the skull is read: what a plain word stands for, what the JSON must be, whose sign of life it is. */
export interface Signal {
  schema: TSchema;
  /** Reads a payload that is a plain word or a JSON string; absent where only a JSON object will do. */
  ofWord?: (word: string) => unknown;
  /** Reads a parsed JSON object where the event's data has another shape. */
  ofObject?: (value: object) => unknown;
  service?: ServiceName;
  /** Whether a value that the broker had stored before we came may count. By default it does not: it may be old. */
  acceptStored?: (value: unknown) => boolean;
}

/** Some services say null where they know no id. */
const withoutNullId = (value: object): unknown => {
  if (!('id' in value) || value.id !== null) return value;
  const { id: _, ...rest } = value;
  return rest;
};

/** Whether tasks may begin. */
const RUN = new Set(['start', 'stop']);

const modeOf = (value: object): unknown => ('state' in value ? value.state : 'mode' in value ? value.mode : undefined);

export const SIGNALS: ReadonlyMap<string, Signal> = new Map<string, Signal>([
  ['vision/motion', { schema: MotionScore, service: 'vision' }],
  ['vision/pose', { schema: Pose, service: 'vision' }],
  ['audio/vad', { schema: VoiceActivity, service: 'audioin' }],
  ['asr/text', { schema: HeardText, ofWord: (text) => ({ text }), service: 'asr' }],
  ['ai/response', { schema: AiResponse, ofWord: (text) => ({ text }), ofObject: withoutNullId, service: 'ai' }],
  ['voice/state', { schema: VoiceState, ofWord: (state) => ({ state }), ofObject: withoutNullId, service: 'voice' }],
  [
    'motion/estop',
    {
      schema: Estop,
      ofWord: (word) => (word === 'on' || word === 'off' ? { active: word === 'on' } : word),
      // Pressed while we were away, it holds; released while we were away, it waits for a release that we see.
      acceptStored: (value) => (value as Estop).active,
    },
  ],
  ['orchestrator/tasks/add', { schema: NewTask }],
  ['orchestrator/tasks/cancel', { schema: Which, ofWord: (id) => ({ id }) }],
  ['orchestrator/tasks/run', { schema: Hold, ofWord: (word) => (RUN.has(word) ? { held: word === 'stop' } : word) }],
  ['skull/mode', { schema: ModeWord, ofWord: (word) => word, ofObject: modeOf }],
]);
