/**
 * Whether every topic that `other` stands for also fits `filter`. `other` may be a topic or a filter itself, so this is
 * both the match of a message and the question whether one subscription makes another one needless.
 */
export function covers(filter: string, other: string): boolean {
  if (filter === other) return true;
  const wide = filter.split('/');
  const narrow = other.split('/');
  if ((wide[0] === '#' || wide[0] === '+') && other.startsWith('$')) return false;
  for (let level = 0; level < wide.length; level++) {
    const want = wide[level];
    const have = narrow[level];
    if (want === '#') return true;
    if (have === undefined || have === '#') return false;
    if (want !== '+' && want !== have) return false;
  }
  return wide.length === narrow.length;
}

/** The filters that are left when those that another one covers are taken away, each with the highest QoS it must carry. */
export function minimal(filters: Iterable<readonly [filter: string, qos: 0 | 1]>): Map<string, 0 | 1> {
  const wanted = new Map<string, 0 | 1>();
  for (const [filter, qos] of filters) if (qos >= (wanted.get(filter) ?? 0)) wanted.set(filter, qos);
  for (const [filter, qos] of wanted) {
    for (const wider of wanted.keys()) {
      if (wider === filter || !covers(wider, filter)) continue;
      if (qos === 1) wanted.set(wider, 1);
      wanted.delete(filter);
      break;
    }
  }
  return wanted;
}
