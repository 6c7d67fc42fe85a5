import { Type } from '../core/model/type.ts';
import { type Part, type Role, type Stage, when } from './role.ts';

const Say = Type.Object({ id: Type.String(), text: Type.String() });
const Play = Type.Object({
  id: Type.String(),
  path: Type.String(),
  offset_ms: Type.Optional(Type.Number({ minimum: 0 })),
});
const Target = Type.Object({ id: Type.Optional(Type.Union([Type.String(), Type.Null()])) });
const Resume = Type.Object({ id: Type.String(), offset_ms: Type.Optional(Type.Number({ minimum: 0 })) });

/** A French voice says about fifteen characters a second. */
const MS_PER_CHARACTER = 65;
const SHORTEST_UTTERANCE_MS = 600;

interface Sound {
  id: string;
  state: 'speaking' | 'playing';
  durationMs: number;
  /** How far it had come when it last began. */
  offsetMs: number;
}

/** Says and plays one sound at a time; several may wait paused. A new sound takes the place of the one that sounds. */
class Voice implements Role {
  readonly #stage: Stage;
  readonly #songMs: number;
  readonly #paused = new Map<string, Sound>();
  #current: (Sound & { since: number; cancel: () => void }) | undefined;

  constructor(stage: Stage, songMs: number) {
    this.#stage = stage;
    this.#songMs = songMs;
  }

  hear(topic: string, payload: unknown): void {
    if (topic === 'voice/say') when(Say, payload, ({ id, text }) => this.#say(id, text));
    else if (topic === 'voice/play') when(Play, payload, ({ id, offset_ms }) => this.#play(id, offset_ms));
    else if (topic === 'voice/pause') when(Target, payload, ({ id }) => this.#pause(id ?? undefined));
    else if (topic === 'voice/resume') when(Resume, payload, ({ id, offset_ms }) => this.#resume(id, offset_ms));
    else when(Target, payload, ({ id }) => this.#stop(id ?? undefined));
  }

  report(): Record<string, unknown> {
    return { sounding: this.#current?.id ?? null, paused: [...this.#paused.keys()] };
  }

  #say(id: string, text: string): void {
    const durationMs = Math.max(SHORTEST_UTTERANCE_MS, text.length * MS_PER_CHARACTER);
    this.#begin({ id, state: 'speaking', durationMs, offsetMs: 0 });
  }

  #play(id: string, offsetMs = 0): void {
    this.#begin({ id, state: 'playing', durationMs: this.#songMs, offsetMs });
  }

  #begin(sound: Sound): void {
    this.#paused.delete(sound.id);
    const replaced = this.#interrupt();
    if (replaced !== undefined && replaced.id !== sound.id) this.#tell('idle', replaced.id);
    const cancel = this.#stage.after(Math.max(0, sound.durationMs - sound.offsetMs), () => {
      this.#current = undefined;
      this.#tell('done', sound.id);
    });
    this.#current = { ...sound, since: this.#stage.now(), cancel };
    this.#tell(sound.state, sound.id);
  }

  #pause(id: string | undefined): void {
    if (id !== undefined && id !== this.#current?.id) return;
    const sound = this.#interrupt();
    if (sound === undefined) return;
    this.#paused.set(sound.id, sound);
    this.#tell('paused', sound.id);
  }

  #resume(id: string, offsetMs: number | undefined): void {
    const sound = this.#paused.get(id);
    if (sound !== undefined) this.#begin({ ...sound, offsetMs: offsetMs ?? sound.offsetMs });
  }

  /** Without an id, everything. */
  #stop(id: string | undefined): void {
    const stopped = [...this.#paused.keys()].filter((paused) => id === undefined || paused === id);
    for (const paused of stopped) this.#paused.delete(paused);
    if (this.#current !== undefined && (id === undefined || id === this.#current.id)) {
      stopped.push(this.#current.id);
      this.#interrupt();
    }
    for (const silent of stopped) this.#tell('idle', silent);
  }

  /** Ends the current sound without a word. Returns it with the offset that it has reached. */
  #interrupt(): Sound | undefined {
    if (this.#current === undefined) return undefined;
    const { since, cancel, ...sound } = this.#current;
    cancel();
    this.#current = undefined;
    return { ...sound, offsetMs: Math.min(sound.durationMs, sound.offsetMs + this.#stage.now() - since) };
  }

  #tell(state: string, id: string): void {
    this.#stage.publish('voice/state', { state, id });
  }
}

export function voice({ songMs }: { songMs: number }): Part {
  return {
    filters: ['voice/say', 'voice/play', 'voice/pause', 'voice/resume', 'voice/stop'],
    enact: (stage) => new Voice(stage, songMs),
  };
}
