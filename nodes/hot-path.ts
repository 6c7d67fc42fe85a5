import type { Node } from 'node-red';

const prefix = Math.floor(Math.random() * 2 ** 32)
  .toString(16)
  .padStart(8, '0');
let last = 0;

/** An id for a message that begins here; Node-RED's own draws eight random numbers for each. */
export const nextId = (): string => prefix + (++last).toString(16).padStart(8, '0');

/**
 * For nodes through which every signal passes: Node-RED makes three records for each message and node, to throw them away
 * where nobody has switched metrics on.
 */
export function withoutIdleMetrics(node: Node): void {
  if (!node.metric()) node.metric = () => false;
}
