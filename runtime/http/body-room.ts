import type { IncomingMessage, ServerResponse } from 'node:http';
import { SkullError } from '../../core/model/errors.ts';
import { hasBody } from './server.ts';

/** So long may a body take to come. */
const BODY_MS = 60_000;

/**
 * The memory for bodies that others than ourselves read, all together: Node-RED keeps forms and texts whole, with no limit,
 * and what its editor is sent before it asks who sends it.
 */
export class BodyRoom {
  readonly #bytes: number;
  readonly #bodyMs: number;
  #taken = 0;

  constructor(bytes: number, { bodyMs = BODY_MS } = {}) {
    this.#bytes = bytes;
    this.#bodyMs = bodyMs;
  }

  /**
   * Counts what comes, however it is read, until the request is answered. What there is no room for is thrown away, and
   * `refuse` told once: `too_large`, `unavailable`, or `request_timeout`. Throws `too_large` where that is known before.
   */
  admit(req: IncomingMessage, res: ServerResponse, refuse: (error: SkullError) => void): void {
    if (!hasBody(req)) return;
    const tooLarge = () => new SkullError('too_large', `The body is larger than ${this.#bytes} bytes.`);
    if (Number(req.headers['content-length']) > this.#bytes) throw tooLarge();
    let taken = 0;
    let refused = false;
    const stop = (error: SkullError) => {
      refused = true;
      refuse(error);
    };
    const late = () =>
      stop(new SkullError('request_timeout', `The body did not come to its end within ${this.#bodyMs / 1000} s.`));
    const timer = setTimeout(late, this.#bodyMs);
    const push = req.push.bind(req);
    req.push = (chunk: Buffer | null): boolean => {
      if (chunk === null) {
        clearTimeout(timer);
        return push(null);
      }
      if (refused) return true;
      if (taken + chunk.length > this.#bytes) stop(tooLarge());
      else if (this.#taken + chunk.length > this.#bytes) {
        stop(new SkullError('unavailable', 'Too much is being sent at once: come again in a second.'));
      } else {
        taken += chunk.length;
        this.#taken += chunk.length;
        return push(chunk);
      }
      return true;
    };
    res.once('close', () => {
      clearTimeout(timer);
      this.#taken -= taken;
    });
  }
}
