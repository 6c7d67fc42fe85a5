import type { Socket } from 'node:net';

const MAPPED = '::ffff:';

/**
 * Whom a request counts for: an IPv4 address, or the network (/64) of an IPv6 address, for whoever has one of those has
 * all of them.
 */
export function clientOf({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string {
  if (!remoteAddress.includes(':')) return remoteAddress;
  if (remoteAddress.startsWith(MAPPED) && remoteAddress.includes('.')) return remoteAddress.slice(MAPPED.length);
  const [head = '', tail] = remoteAddress.split('::');
  const groups = head === '' ? [] : head.split(':');
  const left = tail === undefined || tail === '' ? 0 : tail.split(':').length;
  // What `::` stands for, as far as it reaches into the network.
  const zeros = Array<string>(Math.max(0, 8 - groups.length - left)).fill('0');
  return `${[...groups, ...zeros, ...(tail ? tail.split(':') : [])].slice(0, 4).join(':')}::/64`;
}
