import type { StatechartDefinition } from './definition.ts';
import { type Edge, edgesOf } from './edges.ts';
import { type Place, Tree } from './tree.ts';

const LONGEST_LABEL = 40;

/** Text as Mermaid prints it, whatever it holds: all that could be read as syntax becomes an entity of Mermaid's own kind. */
function escaped(text: string): string {
  return [...text]
    .map((letter) => {
      if (/[\p{L}\p{N} _/.,()=+*!?'-]/u.test(letter)) return letter;
      return /\s/u.test(letter) ? ' ' : `#${letter.codePointAt(0)};`;
    })
    .join('')
    .replaceAll('--', '-#45;')
    .replaceAll(/direction (?=TB|BT|RL|LR)/giu, 'direction#32;');
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/gu, ' ').trim();
  return line.length > LONGEST_LABEL ? `${line.slice(0, LONGEST_LABEL - 1)}…` : line;
}

function labelOf({ event, delay, definition }: Edge): string {
  const cause =
    event ?? (delay === undefined ? 'always' : typeof delay === 'number' ? `${delay} ms` : `after ${delay}`);
  const guard = definition.guard === undefined ? '' : ` [${short(definition.guard)}]`;
  return escaped(short(cause) + guard);
}

/**
 * The definition as a Mermaid state diagram, with the current state marked (class `current`). Transitions from any
 * state leave a node of their own. States are `s0`, `s1`, … in the order of the definition.
 */
export function toMermaid(definition: StatechartDefinition, current?: string): string {
  const tree = new Tree(definition);
  const lines = ['stateDiagram-v2'];
  const draw = (places: readonly Place[], initial: Place | undefined, indent: string) => {
    if (initial) lines.push(`${indent}[*] --> ${initial.id}`);
    for (const place of places) {
      const open = place.children.length > 0 ? ' {' : '';
      lines.push(`${indent}state "${escaped(short(place.name))}" as ${place.id}${open}`);
      if (open) {
        draw(place.children, tree.initialOf(place), `${indent}  `);
        lines.push(`${indent}}`);
      }
    }
  };
  draw(tree.roots, tree.initialOf(undefined), '  ');
  const edges = edgesOf(definition, tree).filter(({ to, definition: { target } }) => to || target === undefined);
  if (edges.some(({ from }) => from === undefined)) {
    lines.push('  state "∗" as any');
    lines.push('  class any anywhere');
  }
  const arrows = new Map<string, string[]>();
  for (const edge of edges) {
    const from = edge.from?.id ?? 'any';
    // A transition without a target is drawn as a loop; those between the same two states share an arrow.
    const arrow = `${from} --> ${edge.to?.id ?? from}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), labelOf(edge)]);
  }
  for (const [arrow, labels] of arrows) lines.push(`  ${arrow} : ${[...new Set(labels)].join('<br>')}`);
  lines.push('  classDef current fill:#2f9e44,stroke:#2b8a3e,color:#ffffff,font-weight:bold');
  lines.push('  classDef anywhere stroke-dasharray:4 3');
  const marked = current === undefined ? undefined : tree.find(current);
  if (marked) lines.push(`  class ${marked.id} current`);
  return `${lines.join('\n')}\n`;
}
