import { LIMITS, type StatechartDefinition, type StateDefinition, step } from './definition.ts';

/** A state and where it stands. */
export interface Place {
  /** `s0`, `s1`, … in the order of the definition: a safe name where the state's own name may not be. */
  readonly id: string;
  readonly name: string;
  /** Names from the root, dotted: the state as it is reported. */
  readonly path: string;
  /** JSON Pointer into the definition. */
  readonly pointer: string;
  readonly depth: number;
  readonly parent: Place | undefined;
  readonly children: readonly Place[];
  readonly definition: StateDefinition;
}

/** A definition's states, by order, by path, by what a target means. */
export class Tree {
  readonly roots: readonly Place[];
  readonly places: readonly Place[];
  readonly #byPath: ReadonlyMap<string, Place>;
  readonly #initial: string;

  constructor(definition: Pick<StatechartDefinition, 'initial' | 'states'>) {
    const places: Place[] = [];
    const grow = (states: Record<string, StateDefinition>, parent: Place | undefined, pointer: string): Place[] =>
      Object.entries(states).map(([name, state]) => {
        const children: Place[] = [];
        const place: Place = {
          id: `s${places.length}`,
          name,
          path: parent ? `${parent.path}.${name}` : name,
          pointer: pointer + step(name),
          depth: parent ? parent.depth + 1 : 1,
          parent,
          children,
          definition: state,
        };
        places.push(place);
        if (place.depth <= LIMITS.nesting) children.push(...grow(state.states ?? {}, place, `${place.pointer}/states`));
        return place;
      });
    this.roots = grow(definition.states, undefined, '/states');
    this.places = places;
    this.#byPath = new Map(places.map((place) => [place.path, place]));
    this.#initial = definition.initial;
  }

  find(path: string): Place | undefined {
    return this.#byPath.get(path);
  }

  /** The state that a target means, seen from a state (undefined: from the root): a sibling first, else a path from the root. */
  resolve(from: Place | undefined, target: string): Place | undefined {
    const sibling = from?.parent ? this.#byPath.get(`${from.parent.path}.${target}`) : undefined;
    return sibling ?? this.#byPath.get(target);
  }

  /** The child that a compound state (undefined: the root) begins in. */
  initialOf(place: Place | undefined): Place | undefined {
    const name = place ? place.definition.initial : this.#initial;
    return (place?.children ?? this.roots).find((child) => child.name === name);
  }

  /** The innermost state in which an entered state ends up. */
  leafOf(place: Place | undefined): Place | undefined {
    const child = this.initialOf(place);
    return child ? this.leafOf(child) : place;
  }
}
