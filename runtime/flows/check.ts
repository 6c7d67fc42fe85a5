import path from 'node:path';
import { type Issue, SkullError } from '../../core/model/errors.ts';
import type { FlowFile, FlowNode } from './files.ts';

/** What is wrong with a statechart's definition. */
export type CheckDefinition = (definition: unknown) => readonly Issue[];

const nameOf = (node: FlowNode): string => (node.name ? `"${node.name}" (${node.id})` : `"${node.id}"`);

function broken(folder: string, file: string, node: FlowNode, issue: Issue): SkullError {
  const place = issue.path === '' ? '' : ` at ${issue.path}`;
  const where = `The flow file ${path.join(folder, file)}, node ${nameOf(node)}${place}`;
  return new SkullError('document_broken', `${where}: ${issue.message}`, { issues: [issue] });
}

/** Throws a SkullError `document_broken` whose message is one line that names the file, the node and the place. */
export function checkFlows(folder: string, files: readonly FlowFile[], checkDefinition: CheckDefinition): void {
  const seen = new Map<string, string>();
  for (const { name, nodes } of files) {
    for (const node of nodes) {
      const other = seen.get(node.id);
      if (other !== undefined) {
        throw broken(folder, name, node, { path: '', message: `the same id is in ${path.join(folder, other)}.` });
      }
      seen.set(node.id, name);
      const issue = node.type === 'skull-fsm' ? checkDefinition(node.definition)[0] : undefined;
      if (issue !== undefined) throw broken(folder, name, node, { ...issue, path: `/definition${issue.path}` });
    }
  }
}

/** Says of types that nobody provides which node in which file wants them. */
export function unknownType(folder: string, files: readonly FlowFile[], types: readonly string[]): SkullError {
  for (const { name, nodes } of files) {
    const node = nodes.find(({ type }) => types.includes(type));
    if (node === undefined) continue;
    const message = `"${node.type}" is a type of node that no installed package brings.`;
    return broken(folder, name, node, { path: '/type', message });
  }
  return new SkullError('document_broken', `Unknown types of nodes: ${types.join(', ')}.`);
}
