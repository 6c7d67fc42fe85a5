import { type Static, Type } from './type.ts';

/** One priority for the body, runs and queues; a smaller number goes first. */
export const PRIORITIES = { URGENT: 1, HIGH: 2, MEDIUM: 3, LOW: 4, BACKGROUND: 5 } as const;
export type Priority = keyof typeof PRIORITIES;

export const PRIORITY_NAMES = Object.keys(PRIORITIES) as Priority[];

/** A priority as it is told. */
export const PriorityName = Type.Enum(PRIORITY_NAMES, {
  description: 'How urgent it is: what is more urgent pauses what is less.',
});

/** A priority as people write it: its name, or its number. */
export const PriorityWord = Type.Union([Type.Enum(PRIORITY_NAMES), Type.Integer({ minimum: 1, maximum: 5 })], {
  description: 'By its name, or 1 (URGENT) to 5 (BACKGROUND).',
});
export type PriorityWord = Static<typeof PriorityWord>;

/** The name of a priority. */
export function priorityOf(word: PriorityWord): Priority {
  return PRIORITY_NAMES.find((name) => name === word || PRIORITIES[name] === word) ?? 'BACKGROUND';
}
