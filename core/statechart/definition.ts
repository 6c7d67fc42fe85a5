import { type Static, type TSchema, Type } from '../model/type.ts';

/** How large a definition may be; beyond it, it is refused rather than slow. */
export const LIMITS = { states: 500, nesting: 10, transitions: 5000, expression: 4000, jsonDepth: 64, json: 1_000_000 };

const strict = { additionalProperties: false };
const text = (description: string) => Type.String({ description, minLength: 1 });
const expression = (description: string) => text(`CEL expression: ${description}`);

export const AssignSchema = Type.Object(
  {
    assign: Type.Record(Type.String(), expression('the new value'), {
      description: 'Context keys and their new values, all computed before any is set.',
    }),
    when: Type.Optional(expression('the action is carried out only if true')),
  },
  strict,
);

export const CommandSchema = Type.Object(
  {
    command: text('Topic of the command; one that starts with "=" is a CEL expression.'),
    payload: Type.Optional(
      Type.Unknown({ description: 'Any JSON; strings in it that start with "=" are CEL expressions. Absent: empty.' }),
    ),
    to: Type.Optional(text("One of the definition's outputs, where the command goes instead of to the outside.")),
    retain: Type.Optional(Type.Boolean()),
    qos: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)])),
    when: Type.Optional(expression('the action is carried out only if true')),
  },
  strict,
);

const transitionKeys = {
  target: Type.Optional(text('A sibling state, or a dotted path from the root. Absent: actions only.')),
  guard: Type.Optional(expression('the transition is taken only if true')),
  actions: Type.Optional(Type.Array(Type.Unknown())),
  reenter: Type.Optional(Type.Boolean({ description: 'Leave and enter the state again though it is the same one.' })),
  description: Type.Optional(Type.String()),
};
export const TransitionSchema = Type.Object(transitionKeys, strict);

export const DelayedSchema = Type.Object(
  {
    ...transitionKeys,
    delay: Type.Union([Type.Number({ maximum: 1e12 }), Type.String({ minLength: 1 })], {
      description: 'Milliseconds, or a CEL expression evaluated when the state is entered. 0 or less: never.',
    }),
  },
  strict,
);

const part = (schema: TSchema) => Type.Optional(schema);
const actions = () => part(Type.Array(Type.Unknown(), { description: 'Actions, carried out in order.' }));
const names = () => part(Type.Record(Type.String(), Type.Unknown()));

/** A state without what is inside its transitions and states: those are checked one by one, so that each error has its place. */
export const StateSchema = Type.Object(
  {
    description: part(Type.String()),
    initial: part(Type.String()),
    states: names(),
    entry: actions(),
    exit: actions(),
    on: names(),
    after: part(Type.Array(Type.Unknown())),
    always: part(Type.Array(Type.Unknown())),
  },
  strict,
);

export const RootSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 200 }),
    description: part(Type.String()),
    initial: Type.String(),
    context: names(),
    persist: part(Type.Array(Type.String())),
    unreadable: names(),
    outputs: part(Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { uniqueItems: true, maxItems: 16 })),
    entry: actions(),
    on: names(),
    states: Type.Record(Type.String(), Type.Unknown()),
  },
  strict,
);

/** A statechart at rest: what restores a machine where it stood. */
export const SnapshotSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.String(),
    context: Type.Record(Type.String(), Type.Unknown()),
    timers: Type.Array(
      Type.Object({
        state: Type.String(),
        after: Type.Integer({ minimum: 0 }),
        remaining: Type.Number({ minimum: 0, description: 'Milliseconds' }),
      }),
    ),
  },
  strict,
);

export type Snapshot = Static<typeof SnapshotSchema>;
export type AssignAction = Static<typeof AssignSchema>;
export type CommandAction = Static<typeof CommandSchema>;
export type ActionDefinition = AssignAction | CommandAction;
export type TransitionDefinition = Omit<Static<typeof TransitionSchema>, 'actions'> & { actions?: ActionDefinition[] };
export type DelayedDefinition = TransitionDefinition & { delay: number | string };
export type EventTransitions = Record<string, TransitionDefinition | TransitionDefinition[]>;

export interface StateDefinition {
  description?: string;
  initial?: string;
  states?: Record<string, StateDefinition>;
  entry?: ActionDefinition[];
  exit?: ActionDefinition[];
  on?: EventTransitions;
  after?: DelayedDefinition[];
  always?: TransitionDefinition[];
}

export interface StatechartDefinition {
  id: string;
  description?: string;
  initial: string;
  context?: Record<string, unknown>;
  /** Context keys that outlive the process. */
  persist?: string[];
  /** What some of these begin as when what was kept of them cannot be read; the others begin as in the context. */
  unreadable?: Record<string, unknown>;
  /** Names for those inside to whom commands may go, beside the outside. */
  outputs?: string[];
  /** Carried out once, at start. */
  entry?: ActionDefinition[];
  /** Transitions from any state, tried after the state's own. */
  on?: EventTransitions;
  states: Record<string, StateDefinition>;
}

export function listOf<T>(one: T | T[]): T[] {
  return Array.isArray(one) ? one : [one];
}

/** Whether a variable that begins with the first value may have the second one: null may become anything. */
export function isLike(initial: unknown, value: unknown): boolean {
  return (
    initial === null ||
    (value !== null && typeof value === typeof initial && Array.isArray(value) === Array.isArray(initial))
  );
}

/** One step of a JSON Pointer. */
export function step(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
