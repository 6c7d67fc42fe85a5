import { between, type Part, type Role, type Stage, wordOf } from './role.ts';

/** How long a visitor's sentence lasts. */
const SENTENCE_MS = 1500;

/** Hears a visitor speak now and then, while the skull converses and is free to listen. */
class AudioIn implements Role {
  readonly #stage: Stage;
  #mode: string | undefined;
  #state: string | undefined;

  constructor(stage: Stage, speechMs: readonly [number, number] | undefined) {
    this.#stage = stage;
    if (speechMs !== undefined) this.#expectSpeech(speechMs);
  }

  hear(topic: string, payload: unknown): void {
    if (topic === 'skull/mode') this.#mode = wordOf(payload, 'state') ?? wordOf(payload, 'mode');
    else this.#state = wordOf(payload, 'state');
  }

  #expectSpeech(speechMs: readonly [number, number]): void {
    this.#stage.after(between(this.#stage, speechMs), () => {
      const listening = (this.#mode === 'IA' || this.#mode === 'FullAuto') && this.#state === 'Idle';
      if (listening) {
        this.#stage.publish('audio/vad', { active: true });
        this.#stage.after(SENTENCE_MS, () => this.#stage.publish('audio/vad', { active: false }));
      }
      this.#expectSpeech(speechMs);
    });
  }
}

/** `speechMs`: shortest and longest time between two visitors; without it there are none. */
export function audioin({ speechMs }: { speechMs: readonly [number, number] | undefined }): Part {
  return {
    filters: speechMs === undefined ? [] : ['skull/mode', 'orchestrator/state'],
    enact: (stage) => new AudioIn(stage, speechMs),
  };
}
