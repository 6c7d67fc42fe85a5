/** Keeps secrets out of a log line, whatever field or text they are in. */

const SECRET_KEY = /password|passwd|secret|authorization|cookie|credential|api[-_]?key|(^|[-_])token$/i;
const LOGIN = /(:\/\/)[^\s"/@]*@/g;
/** One look at a line tells most of them clean. */
const SUSPECT = /passw|secret|authorization|cookie|credential|api[-_]?key|token"|:\/\/[^\s"/@]*@/i;
/** A shorter one would also be found in words that mean something else. */
const MIN_LENGTH = 6;
const HIDDEN = '[redacted]';

const hide = (key: string, value: unknown): unknown => {
  if (SECRET_KEY.test(key) && value !== null && value !== undefined) return HIDDEN;
  return typeof value === 'string' ? value.replace(LOGIN, `$1${HIDDEN}@`) : value;
};

/** Returns the function that writes an object as JSON without secrets; `known` are values that must never show. */
export function redactor(known: readonly string[]): (value: object) => string {
  const values = known.filter((value) => value.length >= MIN_LENGTH).map((value) => JSON.stringify(value).slice(1, -1));
  return (value) => {
    let line = JSON.stringify(value);
    if (SUSPECT.test(line)) line = JSON.stringify(value, hide);
    for (const secret of values) if (line.includes(secret)) line = line.replaceAll(secret, HIDDEN);
    return line;
  };
}
