import { listOf, type StatechartDefinition, step, type TransitionDefinition } from './definition.ts';
import type { Place, Tree } from './tree.ts';

export interface Edge {
  /** Undefined: from any state. */
  from: Place | undefined;
  /** Undefined: actions only. */
  to: Place | undefined;
  /** The event; undefined for a delay and for a transition that needs none. */
  event: string | undefined;
  /** The delay, where it is one. */
  delay: number | string | undefined;
  definition: TransitionDefinition;
  /** JSON Pointer. */
  pointer: string;
}

/** Every transition of a definition with its place, in the order in which it is written. */
export function edgesOf(definition: StatechartDefinition, tree: Tree): Edge[] {
  const edges: Edge[] = [];
  const add = (from: Place | undefined, transition: TransitionDefinition, pointer: string, rest: Partial<Edge>) => {
    const to = transition.target === undefined ? undefined : tree.resolve(from, transition.target);
    edges.push({ from, to, event: undefined, delay: undefined, ...rest, definition: transition, pointer });
  };
  const addOn = (from: Place | undefined, on: StatechartDefinition['on'] = {}, pointer: string) => {
    for (const [event, some] of Object.entries(on)) {
      const at = pointer + step(event);
      for (const [index, one] of listOf(some).entries()) {
        add(from, one, Array.isArray(some) ? `${at}/${index}` : at, { event });
      }
    }
  };
  addOn(undefined, definition.on, '/on');
  for (const place of tree.places) {
    const { on, after = [], always = [] } = place.definition;
    addOn(place, on, `${place.pointer}/on`);
    for (const [index, one] of after.entries()) {
      add(place, one, `${place.pointer}/after/${index}`, { delay: one.delay });
    }
    for (const [index, one] of always.entries()) add(place, one, `${place.pointer}/always/${index}`, {});
  }
  return edges;
}

/** The states that no sequence of transitions can enter, whatever the guards say. */
export function unreachable(tree: Tree, edges: readonly Edge[]): Place[] {
  const reached = new Set<Place>();
  const waiting: Place[] = [];
  const enter = (place: Place | undefined) => {
    if (place === undefined) return;
    for (const one of [place, tree.leafOf(place)]) {
      for (let at = one; at !== undefined && !reached.has(at); at = at.parent) {
        reached.add(at);
        waiting.push(at);
      }
    }
  };
  enter(tree.initialOf(undefined));
  for (const { from, to } of edges) if (from === undefined) enter(to);
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const { from, to } of edges) if (from === place) enter(to);
  }
  return tree.places.filter((place) => !reached.has(place));
}
