/** One priority for the body, runs and queues; a smaller number goes first. */
export const PRIORITIES = { URGENT: 1, HIGH: 2, MEDIUM: 3, LOW: 4, BACKGROUND: 5 } as const;
export type Priority = keyof typeof PRIORITIES;
