import { hash, timingSafeEqual } from 'node:crypto';

/** What is compared in place of a secret: of the same length for all. */
const digestOf = (secret: string | Uint8Array): Buffer => hash('sha256', secret, 'buffer');

/** How long it takes says nothing of how close a guess came. */
export const isSame = (secret: string | Uint8Array, given: string | Uint8Array): boolean =>
  timingSafeEqual(digestOf(secret), digestOf(given));
