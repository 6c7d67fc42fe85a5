import { SkullError } from '../../core/model/errors.ts';
import type { DocumentFolder } from '../../core/model/ports.ts';

/** A folder in memory: texts by file name, as the disk would have them. */
export class MemoryFolder implements DocumentFolder {
  readonly path = '/memory';
  readonly files = new Map<string, string>();
  /** Names of the documents that were saved, in order. */
  readonly saved: string[] = [];
  /** What the next writes fail with. */
  failure: Error | undefined;
  #listener: ((name: string) => void) | undefined;

  load(name: string): unknown {
    const text = this.files.get(`${name}.json`);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new SkullError('document_broken', `${name}.json is not JSON`, { cause });
    }
  }

  async save(name: string, value: unknown): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.saved.push(name);
    this.files.set(`${name}.json`, JSON.stringify(value));
  }

  setAside(name: string, suffix: string): void {
    if (this.failure !== undefined) throw this.failure;
    this.files.set(`${name}.json.${suffix}`, this.files.get(`${name}.json`) ?? '');
    this.files.delete(`${name}.json`);
  }

  async saveBeside(name: string, suffix: string, value: unknown): Promise<void> {
    this.files.set(`${name}.json.${suffix}`, JSON.stringify(value));
  }

  watch(listener: (name: string) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  get watched(): boolean {
    return this.#listener !== undefined;
  }

  /** Somebody else writes a file, or removes it. */
  edit(name: string, text: string | undefined): void {
    if (text === undefined) this.files.delete(`${name}.json`);
    else this.files.set(`${name}.json`, text);
    this.#listener?.(name);
  }

  async flush(): Promise<void> {}
}
