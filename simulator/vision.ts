import { Type } from '../core/model/type.ts';
import { between, type Part, type Role, type Stage, when } from './role.ts';

const Track = Type.Object({ active: Type.Boolean() });
const POSE_MS = 200;
/** How far a face wanders between two poses, of the picture's half width. */
const WANDER = 0.15;

const wander = (stage: Stage, at: number) =>
  Math.round(Math.min(1, Math.max(-1, at + between(stage, [-WANDER, WANDER]))) * 100) / 100;

/** Sees somebody pass now and then; while the skull tracks, tells where the face is. */
class Vision implements Role {
  readonly #stage: Stage;
  readonly #x = { at: 0 };
  readonly #y = { at: 0 };
  #stopTracking: (() => void) | undefined;

  constructor(stage: Stage, motionMs: readonly [number, number] | undefined) {
    this.#stage = stage;
    if (motionMs !== undefined) this.#expectMotion(motionMs);
  }

  hear(_topic: string, payload: unknown): void {
    when(Track, payload, ({ active }) => {
      if (active) this.#stopTracking ??= this.#expectPose();
      else {
        this.#stopTracking?.();
        this.#stopTracking = undefined;
      }
    });
  }

  #expectPose(): () => void {
    return this.#stage.after(POSE_MS, () => {
      this.#x.at = wander(this.#stage, this.#x.at);
      this.#y.at = wander(this.#stage, this.#y.at);
      this.#stage.publish('vision/pose', { x: this.#x.at, y: this.#y.at });
      this.#stopTracking = this.#expectPose();
    });
  }

  #expectMotion(motionMs: readonly [number, number]): void {
    this.#stage.after(between(this.#stage, motionMs), () => {
      this.#stage.publish('vision/motion', { score: Math.round(between(this.#stage, [0.2, 1]) * 100) / 100 });
      this.#expectMotion(motionMs);
    });
  }
}

/** `motionMs`: shortest and longest time between two motions; without it there are none. */
export function vision({ motionMs }: { motionMs: readonly [number, number] | undefined }): Part {
  return { filters: ['motion/track'], enact: (stage) => new Vision(stage, motionMs) };
}
