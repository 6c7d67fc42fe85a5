import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { SkullError } from '../../core/model/errors.ts';
import { ROLES, type Role } from '../../core/skull/operations/operation.ts';
import type { ApiKey, Environment } from '../env.ts';
import { Buckets, TooManyRequests } from './buckets.ts';
import { clientOf } from './client.ts';

/** Wrong keys that an address may try in a minute. */
const GUESSES = 10;
/** Addresses of which is remembered what keys they have. */
const MOST_CLIENTS = 1000;

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string') return key;
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

export const allows = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

interface KnownKey {
  role: Role;
  /** Its bytes, with zeros behind them. */
  padded: Buffer;
}
const NO_KEYS: ReadonlySet<KnownKey> = new Set();

/**
 * Finds keys by what was sent. An address that guesses has to wait; only the keys that have been accepted from it before
 * are let through meanwhile, lest a guesser lock out whoever shares the address.
 */
class KeyRing {
  readonly #known: readonly KnownKey[];
  /** For the key that is looked for: longer than any that is known, and made once, for this is done for every request. */
  readonly #given: Buffer;
  readonly #accepted = new Map<string, Set<KnownKey>>();
  readonly #guesses: Buckets;

  constructor(keys: readonly ApiKey[], now: () => number) {
    this.#given = Buffer.alloc(Math.max(0, ...keys.map(({ key }) => Buffer.byteLength(key))) + 1);
    this.#known = keys.map(({ role, key }) => ({
      role,
      padded: Buffer.concat([Buffer.from(key)], this.#given.length),
    }));
    this.#guesses = new Buckets({ burst: GUESSES, perSecond: GUESSES / 60, now });
  }

  /** Throws `unauthorized` or `too_many_requests`. */
  roleOf(key: string, client: string): Role {
    const wait = this.#guesses.wait(client);
    const found = this.#find(key, wait > 0 ? (this.#accepted.get(client) ?? NO_KEYS) : this.#known);
    if (found !== undefined) {
      this.#accept(found, client);
      return found.role;
    }
    if (wait > 0) throw new TooManyRequests('Too many wrong keys came from this address', wait);
    this.#guesses.take(client);
    throw new SkullError('unauthorized', 'This key is not known here.');
  }

  /** Every key is compared to its end, so that the time taken says nothing of which one came close. */
  #find(key: string, keys: Iterable<KnownKey>): KnownKey | undefined {
    // Headers are read as one character for each byte.
    this.#given.fill(0).write(key, 'latin1');
    let found: KnownKey | undefined;
    for (const known of keys) if (timingSafeEqual(known.padded, this.#given)) found ??= known;
    return found;
  }

  #accept(key: KnownKey, client: string): void {
    const accepted = this.#accepted.get(client);
    if (accepted !== undefined) {
      accepted.add(key);
      return;
    }
    this.#accepted.set(client, new Set([key]));
    if (this.#accepted.size > MOST_CLIENTS) this.#accepted.delete(this.#accepted.keys().next().value ?? '');
  }
}

/**
 * Finds the role of a request by its key; what needs no key has every role. Throws `unauthorized`, `too_many_requests`, or
 * `invalid` for an unknown X-Role.
 */
export function createKeyCheck(env: Pick<Environment, 'apiKeys' | 'requireApiKey' | 'rbac'>, now: () => number) {
  const ring = new KeyRing(env.apiKeys, now);
  const open = !env.requireApiKey && env.apiKeys.length === 0;

  function roleOfKey({ headers, socket }: IncomingMessage): Role {
    if (open) return 'admin';
    const key = keyOf(headers);
    if (key !== undefined) return ring.roleOf(key, clientOf(socket));
    if (!env.requireApiKey) return 'admin';
    throw new SkullError('unauthorized', 'Send the key as X-API-Key or as Authorization: Bearer.');
  }

  return (req: IncomingMessage): Role => {
    const role = roleOfKey(req);
    const asked = req.headers['x-role'];
    if (asked === undefined || !env.rbac) return role;
    const lowered = ROLES.find((name) => name === asked);
    if (lowered === undefined) {
      throw new SkullError('invalid', `X-Role is invalid: it may be ${ROLES.join(', ')}.`, {
        issues: [{ path: 'X-Role', message: `may be ${ROLES.join(', ')}` }],
      });
    }
    return allows(role, lowered) ? lowered : role;
  };
}
