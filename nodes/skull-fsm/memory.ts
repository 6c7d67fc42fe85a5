import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { Clock, DocumentFolder } from '../../core/model/ports.ts';
import { isLike, type StatechartDefinition } from '../../core/statechart/definition.ts';

type Values = Record<string, unknown>;

export interface MemoryOptions {
  clock: Clock;
  folder: () => DocumentFolder;
  /** Told of each problem, once. */
  failed: (message: string) => void;
}

/** After a write that failed, and nothing new to write, it is tried again. */
const RETRY_MS = 10_000;

/** The values that a statechart's definition wants kept over a restart, in a document of the node's own. */
export class Memory {
  readonly #keys: readonly string[];
  readonly #initial: Readonly<Values>;
  /** What keys begin as when what was kept cannot be read. */
  readonly #unreadable: Readonly<Values>;
  readonly #clock: Clock;
  readonly #folder: DocumentFolder | undefined;
  readonly #name: string;
  readonly #failed: (message: string) => void;
  readonly #problems = new Map<'read' | 'write', string>();
  #saved: unknown[] = [];
  #retry: unknown;
  #closed = false;

  constructor(definition: StatechartDefinition, nodeId: string, { clock, folder, failed }: MemoryOptions) {
    this.#keys = definition.persist ?? [];
    this.#initial = definition.context ?? {};
    this.#unreadable = definition.unreadable ?? {};
    this.#clock = clock;
    this.#folder = this.#keys.length > 0 ? folder() : undefined;
    // Ids of old Node-RED versions have a dot.
    this.#name = `fsm-${nodeId.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`;
    this.#failed = failed;
  }

  /** What is wrong with the document, one sentence each; empty when all is well. */
  problems(): string[] {
    return [...this.#problems.values()];
  }

  /** What was kept. A document that is not as it should be is set aside, and the definition says what then holds. */
  load(): Values {
    let values: Values = {};
    try {
      const kept = this.#folder?.load(this.#name);
      if (kept !== undefined) values = this.#known(kept);
      const alien = this.#keys.filter((key) => Object.hasOwn(values, key) && !isLike(this.#initial[key], values[key]));
      for (const key of alien) delete values[key];
      this.#remember(values);
      if (alien.length > 0) this.#replace(values, alien, `of the wrong type: ${alien.join(', ')}`);
    } catch (error) {
      this.#replace(values, this.#keys, messageOf(error));
    }
    return values;
  }

  #known(kept: unknown): Values {
    if (typeof kept !== 'object' || kept === null || Array.isArray(kept)) {
      throw new SkullError('document_broken', 'it is no JSON object');
    }
    return Object.fromEntries(Object.entries(kept).filter(([key]) => this.#keys.includes(key)));
  }

  #remember(values: Values): void {
    this.#saved = this.#keys.map((key) => (Object.hasOwn(values, key) ? values[key] : this.#initial[key]));
  }

  /** Puts what holds instead into `values`; and on disk, for the next start must not take a missing document for a new one. */
  #replace(values: Values, lost: readonly string[], why: string): void {
    const safe = lost.filter((key) => Object.hasOwn(this.#unreadable, key));
    for (const key of safe) values[key] = this.#unreadable[key];
    this.#remember(values);
    const place = this.#setAside();
    const where = place === undefined ? 'left in place' : `set aside as ${place}`;
    const held = safe.map((key) => `, ${key} begins as ${JSON.stringify(values[key])}`).join('');
    this.#note('read', `${this.#name}.json was broken at start (${why}): ${where}${held}.`);
    if (place !== undefined) this.#write();
  }

  /** Returns the new name of the document; undefined when it had to stay. */
  #setAside(): string | undefined {
    const suffix = `broken-${new Date(this.#clock.now()).toISOString().replaceAll(':', '-')}`;
    try {
      this.#folder?.setAside(this.#name, suffix);
      return `${this.#name}.json.${suffix}`;
    } catch {
      return undefined;
    }
  }

  /** Writes what has changed since the last time. Nobody waits for the disk. */
  save(context: Readonly<Values>): void {
    if (this.#keys.every((key, index) => this.#saved[index] === context[key])) return;
    this.#saved = this.#keys.map((key) => context[key]);
    this.#write(['read', 'write']);
  }

  /** `mends`: the problems that are over once it is written. */
  #write(mends: readonly ('read' | 'write')[] = ['write']): void {
    this.#clock.clearTimeout(this.#retry);
    this.#retry = undefined;
    const values = Object.fromEntries(this.#keys.map((key, index) => [key, this.#saved[index]]));
    this.#folder?.save(this.#name, values).then(
      () => {
        for (const what of mends) this.#problems.delete(what);
      },
      (error: unknown) => {
        this.#note('write', `${this.#name}.json could not be written (${messageOf(error)}): a restart would not know.`);
        if (!this.#closed) this.#retry ??= this.#clock.setTimeout(() => this.#write(mends), RETRY_MS);
      },
    );
  }

  #note(what: 'read' | 'write', text: string): void {
    if (this.#problems.get(what) === text) return;
    this.#problems.set(what, text);
    this.#failed(text);
  }

  /** Resolves once nothing waits to be written. What failed is not tried again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#clock.clearTimeout(this.#retry);
    await this.#folder?.flush();
  }
}
