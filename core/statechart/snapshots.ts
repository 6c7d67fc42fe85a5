import { SkullError } from '../model/errors.ts';
import { parse } from '../model/schema.ts';
import { type Snapshot, SnapshotSchema, type StatechartDefinition } from './definition.ts';
import type { Tree } from './tree.ts';

/** Of some values those whose keys the definition's context has. */
export function known(
  { context = {} }: StatechartDefinition,
  values: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => Object.hasOwn(context, key)));
}

/** A copy of the value as a snapshot of this definition's machine, or a SkullError `invalid` that says why it is none. */
export function fitting(definition: StatechartDefinition, tree: Tree, value: unknown): Snapshot {
  const snapshot = parse(SnapshotSchema, structuredClone(value), { what: 'The snapshot' });
  const refuse = (path: string, message: string) =>
    new SkullError('invalid', `The snapshot is invalid: ${path} ${message}.`, { issues: [{ path, message }] });
  if (snapshot.id !== definition.id) throw refuse('/id', `is of the statechart ${JSON.stringify(snapshot.id)}`);
  if (tree.find(snapshot.state)?.children.length !== 0) {
    throw refuse('/state', `is no innermost state: ${JSON.stringify(snapshot.state)}`);
  }
  return { ...snapshot, context: known(definition, snapshot.context) };
}
