import { messageOf, SkullError } from '../../core/model/errors.ts';
import type { DocumentFolder } from '../../core/model/ports.ts';
import type { StatechartDefinition } from '../../core/statechart/definition.ts';

/** The values that a statechart's definition wants kept over a restart, in a document of the node's own. */
export class Memory {
  readonly #keys: readonly string[];
  readonly #initial: Readonly<Record<string, unknown>>;
  readonly #folder: DocumentFolder | undefined;
  readonly #name: string;
  readonly #failed: (message: string) => void;
  #saved: unknown[] = [];

  constructor(
    definition: StatechartDefinition,
    nodeId: string,
    { folder, failed }: { folder: () => DocumentFolder; failed: (message: string) => void },
  ) {
    this.#keys = definition.persist ?? [];
    this.#initial = definition.context ?? {};
    this.#folder = this.#keys.length > 0 ? folder() : undefined;
    // Ids of old Node-RED versions have a dot.
    this.#name = `fsm-${nodeId.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`;
    this.#failed = failed;
  }

  /** What was kept; a broken document is set aside and reported. */
  load(): Record<string, unknown> {
    const kept = this.#read();
    const values: Record<string, unknown> = {};
    if (typeof kept === 'object' && kept !== null) {
      for (const [key, value] of Object.entries(kept)) if (this.#keys.includes(key)) values[key] = value;
    }
    this.#saved = this.#keys.map((key) => (Object.hasOwn(values, key) ? values[key] : this.#initial[key]));
    return values;
  }

  #read(): unknown {
    try {
      return this.#folder?.load(this.#name);
    } catch (error) {
      this.#failed(messageOf(error));
      if (error instanceof SkullError && error.code === 'document_broken') this.#setAside();
      return undefined;
    }
  }

  #setAside(): void {
    try {
      this.#folder?.setAside(this.#name, 'broken');
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  /** Writes what has changed since the last time. Nobody waits for the disk. */
  save(context: Readonly<Record<string, unknown>>): void {
    if (this.#keys.every((key, index) => this.#saved[index] === context[key])) return;
    this.#saved = this.#keys.map((key) => context[key]);
    const values = Object.fromEntries(this.#keys.map((key) => [key, context[key]]));
    this.#folder?.save(this.#name, values).catch((error: unknown) => this.#failed(messageOf(error)));
  }

  /** Resolves once nothing waits to be written. */
  async flush(): Promise<void> {
    await this.#folder?.flush();
  }
}
