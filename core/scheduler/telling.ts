import type { Activity, LaneEvent, LaneEventType } from './activity.ts';

/** Tells listeners what has happened, each event to all before the next, whatever they do to the lane meanwhile. */
export class Telling {
  readonly #listeners = new Set<(event: LaneEvent) => void>();
  readonly #onError: ((error: unknown, activity: Activity) => void) | undefined;
  #untold: LaneEvent[] = [];

  constructor(onError: ((error: unknown, activity: Activity) => void) | undefined) {
    this.#onError = onError;
  }

  add(listener: (event: LaneEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  note(type: LaneEventType, activity: Activity): void {
    if (this.#listeners.size > 0) this.#untold.push({ type, activity });
  }

  /** Not to be called while it runs. */
  tell(): void {
    if (this.#untold.length === 0) return;
    // What listeners cause meanwhile joins the end.
    for (const event of this.#untold) {
      for (const listener of this.#listeners) {
        try {
          listener(event);
        } catch (error) {
          this.#onError?.(error, event.activity);
        }
      }
    }
    this.#untold = [];
  }
}
