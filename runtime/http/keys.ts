import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SkullError } from '../../core/model/errors.ts';
import { ROLES, type Role } from '../../core/skull/operations/operation.ts';
import type { Environment } from '../env.ts';

const digest = (key: string): Buffer => hash('sha256', key, 'buffer');

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string') return key;
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

export const allows = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/**
 * Finds the role of a request by its key; what needs no key has every role. Throws `unauthorized`, or `invalid` for an
 * unknown X-Role.
 */
export function createKeyCheck(env: Pick<Environment, 'apiKeys' | 'requireApiKey' | 'rbac'>) {
  const known = env.apiKeys.map(({ role, key }) => ({ role, digest: digest(key) }));
  const open = !env.requireApiKey && known.length === 0;

  function roleOfKey(headers: IncomingHttpHeaders): Role {
    if (open) return 'admin';
    const key = keyOf(headers);
    if (key === undefined) {
      if (!env.requireApiKey) return 'admin';
      throw new SkullError('unauthorized', 'Send the key as X-API-Key or as Authorization: Bearer.');
    }
    const given = digest(key);
    let role: Role | undefined;
    // Every key is compared, so that the time taken says nothing of which one came close.
    for (const entry of known) if (timingSafeEqual(entry.digest, given)) role ??= entry.role;
    if (role === undefined) throw new SkullError('unauthorized', 'This key is not known here.');
    return role;
  }

  return (headers: IncomingHttpHeaders): Role => {
    const role = roleOfKey(headers);
    const asked = headers['x-role'];
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
