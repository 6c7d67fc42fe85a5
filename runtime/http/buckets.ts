import { SkullError } from '../../core/model/errors.ts';

export interface BucketRules {
  /** Tokens in a full bucket. */
  burst: number;
  perSecond: number;
  /** Milliseconds of a clock that nobody sets. */
  now: () => number;
}

/** Names that are remembered; one that is forgotten has a full bucket again. */
const MOST_NAMES = 1000;

/** Token buckets, one for each name. What is kept of a bucket is when it will be full. */
export class Buckets {
  readonly #fullAt = new Map<string, number>();
  readonly #tokenMs: number;
  readonly #roomMs: number;
  readonly #now: () => number;

  constructor({ burst, perSecond, now }: BucketRules) {
    this.#tokenMs = 1000 / perSecond;
    this.#roomMs = (burst - 1) * this.#tokenMs;
    this.#now = now;
  }

  /** Whole seconds until the name has a token; 0 where it has one. */
  wait(name: string): number {
    const fullAt = this.#fullAt.get(name);
    return fullAt === undefined ? 0 : Math.max(0, Math.ceil((fullAt - this.#now() - this.#roomMs) / 1000));
  }

  /** Takes a token. Returns what `wait` does; where that is not 0 nothing is taken. */
  take(name: string): number {
    const wait = this.wait(name);
    if (wait > 0) return wait;
    const now = this.#now();
    const fullAt = Math.max(now, this.#fullAt.get(name) ?? now) + this.#tokenMs;
    this.#fullAt.delete(name);
    this.#fullAt.set(name, fullAt);
    if (this.#fullAt.size > MOST_NAMES) this.#fullAt.delete(this.#fullAt.keys().next().value ?? '');
    return 0;
  }
}

/** A refusal that says after how many whole seconds to come again. */
export class TooManyRequests extends SkullError {
  readonly retryAfterS: number;

  constructor(what: string, retryAfterS: number) {
    super('too_many_requests', `${what}: come again in ${retryAfterS} s.`);
    this.retryAfterS = retryAfterS;
  }
}
