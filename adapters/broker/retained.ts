/** The last payload of each topic that was published retained, in the order of the first publication. */
export class Retained {
  readonly #payloads = new Map<string, string>();
  /** Topics whose present payload the broker does not have yet. */
  readonly #owed = new Set<string>();

  get(topic: string): string | undefined {
    return this.#payloads.get(topic);
  }

  /** `sent`: the broker gets it now. An empty payload is forgotten once the broker knows. */
  set(topic: string, payload: string, sent: boolean): void {
    if (sent) this.#owed.delete(topic);
    else this.#owed.add(topic);
    if (payload === '' && sent) this.#payloads.delete(topic);
    else this.#payloads.set(topic, payload);
  }

  /** Hands every topic to `publish`, as a broker that may have lost them needs it. */
  all(publish: (topic: string, payload: string) => void): void {
    for (const topic of this.#payloads.keys()) this.#owed.add(topic);
    this.owed(publish);
  }

  /** Hands what the broker does not have yet to `publish`, which answers by `set`. */
  owed(publish: (topic: string, payload: string) => void): void {
    if (this.#owed.size === 0) return;
    for (const [topic, payload] of [...this.#payloads]) if (this.#owed.has(topic)) publish(topic, payload);
  }
}
