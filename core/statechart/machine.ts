import type { Context } from './actions.ts';
import type { Place, Tree } from './tree.ts';

/** Where a machine stands: the innermost active state, and its variables. */
export interface Situation {
  readonly leaf: Place;
  readonly context: Context;
}

/** Carries something out and returns the context after it. Never throws. */
export type Act = (context: Context) => Context;

/** A transition, ready to be taken. */
export interface Transition {
  /** JSON Pointer into the definition. */
  readonly pointer: string;
  readonly holds: (context: Context) => boolean;
  readonly act: Act;
  /** Absent: no state is left or entered. */
  readonly move: Move | undefined;
}

export interface Move {
  /** All active states inside of this one are left; undefined: all there are. */
  readonly within: Place | undefined;
  /** From the outside in. */
  readonly entered: readonly Place[];
  /** The innermost state in which it ends. */
  readonly leaf: Place;
}

/** A state, ready to be entered and left. */
export interface Room {
  readonly enter: Act;
  readonly leave: Act;
  readonly on: ReadonlyMap<string, readonly Transition[]>;
  /** By index: what is tried when the delay is over. */
  readonly after: readonly Transition[];
  readonly always: readonly Transition[];
}

/** What may happen in an innermost state, with the transitions of the states around it behind its own. */
interface Choices {
  readonly on: ReadonlyMap<string, readonly Transition[]>;
  readonly always: readonly Transition[];
}

/** After this many transitions without an event the machine is taken to go round in circles. */
const MAX_STEPS = 100;

/** Where a transition from one state to another leads; a target inside is entered without leaving the state unless told. */
export function moveOf(tree: Tree, from: Place | undefined, target: Place, reenter: boolean): Move {
  let within = from;
  if (reenter || !isWithin(target, from)) {
    within = target.parent;
    while (within !== undefined && (within === from || !isWithin(from, within))) within = within.parent;
  }
  const leaf = tree.leafOf(target) ?? target;
  const entered: Place[] = [];
  for (let place: Place | undefined = leaf; place !== undefined && place !== within; place = place.parent) {
    entered.unshift(place);
  }
  return { within, entered, leaf };
}

/** Whether the place is this state or inside of it; everything is inside of the root. */
function isWithin(place: Place | undefined, state: Place | undefined): boolean {
  for (let at = place; at !== undefined; at = at.parent) if (at === state) return true;
  return state === undefined;
}

export interface MachineParts {
  readonly tree: Tree;
  readonly rooms: ReadonlyMap<Place, Room>;
  /** Carried out before the first states are entered. */
  readonly start: Act;
  readonly first: Move;
  /** Transitions from any state. */
  readonly on: Room['on'];
}

/** Walks through a definition's states. Pure but for what its rooms and transitions do: it keeps nothing. */
export class Machine {
  readonly #parts: MachineParts;
  readonly #rooms: MachineParts['rooms'];
  readonly #choices: ReadonlyMap<Place, Choices>;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#rooms = parts.rooms;
    const leaves = parts.tree.places.filter(({ children }) => children.length === 0);
    this.#choices = new Map(leaves.map((leaf) => [leaf, this.#choicesIn(leaf)]));
  }

  /** What an event of this name may lead to; undefined where nothing is written for it. */
  on(leaf: Place, name: string): readonly Transition[] | undefined {
    return this.#choices.get(leaf)?.on.get(name);
  }

  /** What the end of a delay may lead to. */
  after(place: Place, index: number): readonly Transition[] {
    const transition = this.#rooms.get(place)?.after[index];
    return transition === undefined ? [] : [transition];
  }

  begin(context: Context): Situation {
    const { start, first } = this.#parts;
    return this.#settle({ leaf: first.leaf, context: this.#enter(first.entered, start(context)) });
  }

  /** Takes the first of the transitions that holds, if any, and then whatever needs no event. Throws where that never ends. */
  step(from: Situation, transitions: readonly Transition[]): Situation {
    return this.#settle(this.#take(from, transitions) ?? from);
  }

  #choicesIn(leaf: Place): Choices {
    const on = new Map<string, Transition[]>();
    const always: Transition[] = [];
    const add = (more: Room['on']) => {
      for (const [name, transitions] of more) on.set(name, [...(on.get(name) ?? []), ...transitions]);
    };
    for (let place: Place | undefined = leaf; place !== undefined; place = place.parent) {
      const room = this.#rooms.get(place);
      if (room === undefined) continue;
      add(room.on);
      always.push(...room.always);
    }
    add(this.#parts.on);
    return { on, always };
  }

  #settle(from: Situation): Situation {
    let now = from;
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const next = this.#take(now, this.#choices.get(now.leaf)?.always ?? []);
      // What changes nothing would be taken again and again.
      if (next === undefined || (next.leaf === now.leaf && next.context === now.context)) return next ?? now;
      now = next;
    }
    throw new Error(`an infinite loop: ${MAX_STEPS} transitions without an event led to further ones`);
  }

  #take({ leaf, context }: Situation, transitions: readonly Transition[]): Situation | undefined {
    for (const { holds, act, move } of transitions) {
      if (!holds(context)) continue;
      if (move === undefined) return { leaf, context: act(context) };
      const left = this.#leave(leaf, move.within, context);
      return { leaf: move.leaf, context: this.#enter(move.entered, act(left)) };
    }
    return undefined;
  }

  #leave(leaf: Place, within: Place | undefined, context: Context): Context {
    let now = context;
    for (let place: Place | undefined = leaf; place !== undefined && place !== within; place = place.parent) {
      now = this.#rooms.get(place)?.leave(now) ?? now;
    }
    return now;
  }

  #enter(places: readonly Place[], context: Context): Context {
    let now = context;
    for (const place of places) now = this.#rooms.get(place)?.enter(now) ?? now;
    return now;
  }
}
