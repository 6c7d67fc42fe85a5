import { isUtf8 } from 'node:buffer';
import { messageOf, SkullError } from '../../core/model/errors.ts';

/** What matters for keys: where an object begins and ends, and each string, with the colon behind it that makes it a key. */
const TOKEN = /[{}]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g;

const malformed = (why: string) => new SkullError('malformed', `The body ${why}.`);

/** The first key that an object of this JSON has twice. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, string = '""', colon] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = String(JSON.parse(string));
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

/** The value of a body. Throws `malformed`, also for a key that is there twice: which of its values is meant nobody knows. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw malformed('is not UTF-8');
  const json = new TextDecoder().decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw malformed(`is not JSON: ${messageOf(error)}`);
  }
  const key = repeatedKey(json);
  if (key !== undefined) throw malformed(`is ambiguous: the key ${JSON.stringify(key)} is there twice`);
  return value;
}
