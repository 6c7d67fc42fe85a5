/* global $ */

const KEPT = 50;
const known = new Map();

/** What the runtime said of this definition; undefined while it has not been asked. */
export function knownIssuesOf(definition) {
  return known.get(JSON.stringify(definition))?.issues;
}

/**
 * Asks the runtime to check a definition and to draw it.
 * @returns {Promise<{issues: {path: string, message: string}[], warnings: {path: string, message: string}[], mermaid: string}>}
 *   rejected when the runtime does not answer
 */
export async function check(definition) {
  const key = JSON.stringify(definition);
  const before = known.get(key);
  if (before !== undefined) return before;
  const answer = await $.ajax({
    url: 'skull-fsm/check',
    method: 'POST',
    contentType: 'application/json',
    data: JSON.stringify({ definition }),
  });
  known.set(key, answer);
  if (known.size > KEPT) known.delete(known.keys().next().value);
  return answer;
}

/** The issues alone. */
export async function issuesOf(definition) {
  return (await check(definition)).issues;
}
