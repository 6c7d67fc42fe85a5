import type { Random } from '../../model/ports.ts';

/** What a set list knows of the past. */
export interface Played {
  /** Songs yet to come in this round, in the order in which they will. */
  bag: string[];
  /** Songs that were taken in this round. */
  played: string[];
  last: string | null;
}

/**
 * Which song comes next. Shuffled songs are drawn without repeats until all of them were, and no song comes twice running
 * where there is another one. Songs that are new come in the round that is under way, songs that are gone do not.
 */
export class Setlist {
  readonly #random: Pick<Random, 'next'>;
  #names: readonly string[] = [];
  #bag: string[];
  #played: string[];
  #last: string | null;

  constructor(random: Pick<Random, 'next'>, { bag, played, last }: Played) {
    this.#random = random;
    this.#bag = [...bag];
    this.#played = [...played];
    this.#last = last;
  }

  /** How many songs there are. */
  get size(): number {
    return this.#names.length;
  }

  get memory(): Played {
    return { bag: [...this.#bag], played: [...this.#played], last: this.#last };
  }

  /** Says which songs there are now, in the order of their names. */
  update(names: readonly string[]): void {
    this.#names = names;
    const here = new Set(names);
    this.#bag = this.#bag.filter((name) => here.has(name));
    if (this.#bag.length === 0) this.#played = [];
    const known = new Set([...this.#bag, ...this.#played]);
    for (const name of names) {
      if (!known.has(name)) this.#bag.splice(this.#draw(0, this.#bag.length + 1), 0, name);
    }
    if (this.#bag[0] === this.#last && this.#bag.length > 1) {
      const [first = ''] = this.#bag.splice(0, 1);
      this.#bag.splice(this.#draw(1, this.#bag.length + 1), 0, first);
    }
  }

  /** The song that comes next, which counts as played from now on; undefined where there is none. */
  take(shuffle: boolean): string | undefined {
    const [name] = this.upcoming(1, shuffle);
    if (typeof name !== 'string') return undefined;
    this.#bag = this.#bag.filter((other) => other !== name);
    this.#played.push(name);
    this.#last = name;
    this.update(this.#names);
    return name;
  }

  /** The next songs; null where that will be drawn only then. */
  upcoming(count: number, shuffle: boolean): (string | null)[] {
    const songs = shuffle ? this.#bag : this.#inOrder(count);
    return Array.from({ length: count }, (_, index) => songs[index] ?? null);
  }

  #inOrder(count: number): string[] {
    const names = this.#names;
    const last = this.#last ?? '';
    const at = names.indexOf(last);
    const next =
      at === -1
        ? Math.max(
            0,
            names.findIndex((name) => name > last),
          )
        : at + 1;
    return Array.from({ length: count }, (_, index) => names[(next + index) % names.length] ?? []).flat();
  }

  /** A whole number from `from` to below `to`. */
  #draw(from: number, to: number): number {
    return from + Math.floor(this.#random.next() * (to - from));
  }
}
