import { messageOf } from '../../model/errors.ts';
import type { Clock, DocumentFolder, Log } from '../../model/ports.ts';
import { checkedSection, RULES_DIGEST } from './check.ts';
import { deepFreeze, jsonCopy, mergePatch, sameJson } from './json.ts';
import { type Config, DEFAULTS, isSectionName, SECTION_NAMES, type SectionName } from './sections.ts';

/** The door a change came through. */
export type ConfigSource = 'rest' | 'mqtt' | 'file';

export interface ConfigChange<S extends SectionName = SectionName> {
  readonly section: S;
  readonly value: Config[S];
  readonly previous: Config[S];
  readonly source: ConfigSource;
}

/** A copy of every section as last accepted, for the day a section's own file is broken. */
const LAST_GOOD = 'last-good';

interface LastGood {
  /** The rules by which the sections were checked. */
  rules: string;
  sections: Config;
}

interface Problem {
  text: string;
  /** A broken document still lies in the section's place. */
  inPlace?: boolean;
}

const unsaved = (name: string) => `${name} unsaved`;

/**
 * The configuration: in memory, checked and frozen, and in a folder with one file for each section. A change through
 * any door reaches the listeners exactly once; what changes nothing reaches nobody.
 */
export class ConfigStore {
  readonly #folder: DocumentFolder;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(change: ConfigChange) => void>();
  readonly #untold: ConfigChange[] = [];
  readonly #problems = new Map<string, Problem>();
  readonly #problemListeners = new Set<(problems: string[]) => void>();
  readonly #endWatch: () => void;
  #all: Config;
  #telling = false;

  /** Reads the folder at once; a section that has no file gets one with the defaults. Never throws for a bad file. */
  constructor({ folder, clock, log }: { folder: DocumentFolder; clock: Clock; log: Log }) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#endWatch = this.#watch();
    this.#all = this.#load();
  }

  /** A section, frozen; the same object until it changes. */
  get<S extends SectionName>(section: S): Config[S] {
    return this.#all[section];
  }

  /** Every section, frozen; the same object until one changes. */
  all(): Config {
    return this.#all;
  }

  /**
   * Puts a whole section in place; missing keys take their defaults. Returns the section as it is now. Throws SkullError
   * `invalid` or `not_allowed`, whose issues name each place, and then nothing has changed.
   */
  replace<S extends SectionName>(section: S, value: unknown, source: ConfigSource): Config[S] {
    return this.#accept(section, checkedSection(section, value), source);
  }

  /** Changes a section by a JSON Merge Patch (RFC 7396); otherwise as `replace`. */
  merge<S extends SectionName>(section: S, patch: unknown, source: ConfigSource): Config[S] {
    return this.replace(section, mergePatch(this.#all[section], patch), source);
  }

  /** Calls the listener once for each change, in order. Returns the function that ends it. */
  onChange(listener: (change: ConfigChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is wrong with the files, one sentence each; empty when all is well. */
  problems(): string[] {
    return [...this.#problems.values()].map(({ text }) => text);
  }

  /** Calls the listener when the problems change. Returns the function that ends it. */
  onProblems(listener: (problems: string[]) => void): () => void {
    this.#problemListeners.add(listener);
    return () => void this.#problemListeners.delete(listener);
  }

  /** Keeps a value that lost against the section beside it. Returns the name of the file it will be found in. */
  keepRetained(section: SectionName, value: unknown): string {
    const suffix = `retained-${this.#stamp()}`;
    const file = `${section}.json.${suffix}`;
    this.#folder.saveBeside(section, suffix, jsonCopy(value)).catch((error: unknown) => {
      this.#log.error({ kind: 'config', msg: `${file} could not be written: ${messageOf(error)}`, section });
    });
    return file;
  }

  /** Resolves once every accepted change is on disk, or `problems` says why it is not. */
  flush(): Promise<void> {
    return this.#folder.flush();
  }

  /** Stops watching and writes what waits. */
  async close(): Promise<void> {
    this.#endWatch();
    await this.flush();
  }

  #accept<S extends SectionName>(section: S, value: Config[S], source: ConfigSource): Config[S] {
    const previous = this.#all[section];
    const changed = !sameJson(previous, value);
    const broken = this.#problems.get(section)?.inPlace === true;
    this.#mended(section);
    if (source === 'file') this.#mended(unsaved(section));
    else if (changed || broken || this.#problems.has(unsaved(section))) {
      if (broken) this.#setAside(section);
      this.#save(section, value);
    }
    if (!changed) return previous;
    this.#all = Object.freeze({ ...this.#all, [section]: value });
    this.#saveLastGood();
    this.#tell({ section, value, previous, source });
    return value;
  }

  /** A listener that changes the configuration must not make the others hear the newer change first. */
  #tell(change: ConfigChange): void {
    this.#untold.push(change);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift())
      for (const listener of this.#listeners)
        try {
          listener(next);
        } catch (error) {
          const msg = `a listener failed on a change of ${next.section}: ${messageOf(error)}`;
          this.#log.error({ kind: 'config', msg, section: next.section });
        }
    this.#telling = false;
  }

  #load(): Config {
    const lastGood = this.#loadLastGood();
    const sections = Object.fromEntries(
      SECTION_NAMES.map((section) => [section, this.#loadSection(section, lastGood)]),
    ) as Config;
    if (!sameJson(lastGood, { rules: RULES_DIGEST, sections })) this.#saveLastGood(sections);
    return Object.freeze(sections);
  }

  #loadSection<S extends SectionName>(section: S, lastGood: LastGood | undefined): Config[S] {
    const good = lastGood?.sections[section];
    try {
      const found = this.#folder.load(section);
      if (found === undefined) {
        this.#save(section, DEFAULTS[section]);
        return DEFAULTS[section];
      }
      // What was accepted by these very rules need not be checked again.
      if (good !== undefined && lastGood?.rules === RULES_DIGEST && sameJson(found, good)) return deepFreeze(good);
      return checkedSection(section, found);
    } catch (error) {
      return this.#serveInstead(section, good, error);
    }
  }

  #serveInstead<S extends SectionName>(section: S, good: unknown, error: unknown): Config[S] {
    let value = DEFAULTS[section];
    let serves = 'the defaults serve';
    try {
      if (good !== undefined) {
        value = checkedSection(section, good);
        serves = 'the last good copy serves';
      }
    } catch {
      // The copy is no better than the file: the defaults it is.
    }
    const place = this.#setAside(section);
    if (place !== undefined) this.#save(section, value);
    const where = place === undefined ? 'left in place' : `set aside as ${place}`;
    const text = `${section}.json was broken at start (${messageOf(error)}): ${where}, ${serves}.`;
    this.#note(section, { text, inPlace: place === undefined });
    return value;
  }

  #watch(): () => void {
    try {
      return this.#folder.watch((name) => {
        if (isSectionName(name)) this.#fileChanged(name);
      });
    } catch (error) {
      this.#note('watch', { text: `${this.#folder.path} cannot be watched for edits: ${messageOf(error)}.` });
      return () => {};
    }
  }

  #fileChanged(section: SectionName): void {
    try {
      const found = this.#folder.load(section);
      if (found === undefined) {
        this.#log.warn({ kind: 'config', msg: `${section}.json was removed: it is written again`, section });
        this.#mended(section);
        this.#save(section, this.#all[section]);
      } else this.#accept(section, checkedSection(section, found), 'file');
    } catch (error) {
      const text = `${section}.json was edited and is broken (${messageOf(error)}): the section before the edit serves.`;
      this.#note(section, { text, inPlace: true });
    }
  }

  #loadLastGood(): LastGood | undefined {
    try {
      const found = this.#folder.load(LAST_GOOD);
      const sections = typeof found === 'object' && found !== null && 'sections' in found ? found.sections : undefined;
      return typeof sections === 'object' && sections !== null ? (found as LastGood) : undefined;
    } catch (error) {
      this.#log.warn({ kind: 'config', msg: `the last good copy is lost: ${messageOf(error)}` });
      return undefined;
    }
  }

  #saveLastGood(sections: Config = this.#all): void {
    this.#save(LAST_GOOD, { rules: RULES_DIGEST, sections } satisfies LastGood);
  }

  #save(name: string, value: unknown): void {
    this.#folder.save(name, value).then(
      () => this.#mended(unsaved(name)),
      (error: unknown) => {
        const text = `${name}.json could not be written (${messageOf(error)}): what it should say is lost at a restart.`;
        this.#note(unsaved(name), { text });
      },
    );
  }

  #note(what: string, problem: Problem): void {
    const isNew = this.#problems.get(what)?.text !== problem.text;
    this.#problems.set(what, problem);
    if (!isNew) return;
    this.#log.error({ kind: 'config', msg: problem.text });
    for (const listener of this.#problemListeners) listener(this.problems());
  }

  #mended(what: string): void {
    if (this.#problems.delete(what)) for (const listener of this.#problemListeners) listener(this.problems());
  }

  /** Returns the new name of the section's broken file; undefined when it had to stay. */
  #setAside(section: SectionName): string | undefined {
    const suffix = `broken-${this.#stamp()}`;
    try {
      this.#folder.setAside(section, suffix);
      return `${section}.json.${suffix}`;
    } catch (error) {
      this.#log.error({ kind: 'config', msg: `${section}.json cannot be set aside: ${messageOf(error)}`, section });
      return undefined;
    }
  }

  /** The time, fit for a file name on any system. */
  #stamp(): string {
    return new Date(this.#clock.now()).toISOString().replaceAll(':', '-');
  }
}
