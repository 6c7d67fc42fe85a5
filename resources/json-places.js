/**
 * Where things stand in a JSON text. JSON.parse says what a text means but not where; this says where each value stands,
 * and where and why a text is not JSON, in codes that a catalogue of messages translates.
 */

/**
 * @typedef {object} Fault
 * @property {'value'|'key'|'colon'|'comma'|'string'|'escape'|'number'|'end'|'extra'|'duplicate'} code what is wrong
 * @property {number} offset where, counted from 0
 * @property {string} found what stands there, or the name of the key that comes twice; empty at the end of the text
 */

/**
 * @typedef {object} Places
 * @property {Fault | undefined} fault the first fault; undefined when the text is JSON
 * @property {(pointer: string) => { line: number, column: number }} find line and column, from 1, of the value (of its
 *   key, where it has one) at a JSON pointer; of the nearest one around it when the text has none there
 * @property {(offset: number) => { line: number, column: number }} at line and column, from 1, of an offset
 */

class Broken extends Error {
  constructor(code, offset, found) {
    super(code);
    this.fault = { code, offset, found };
  }
}

const LITERAL = /(?:true|false|null)(?![A-Za-z0-9_])/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const WORD = /[\w$.+-]+|[^\s]/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class Scan {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.offsets = new Map();
  }

  document() {
    this.space();
    this.offsets.set('', this.at);
    this.value('');
    this.space();
    if (this.at < this.text.length) this.broken('extra');
  }

  value(pointer) {
    const character = this.text[this.at];
    if (character === '{') this.object(pointer);
    else if (character === '[') this.array(pointer);
    else if (character === '"') this.string();
    else if (this.match(LITERAL) === undefined && this.match(NUMBER) === undefined) {
      this.broken(/[-\d]/.test(character ?? '') ? 'number' : 'value');
    }
  }

  object(pointer) {
    this.at++;
    this.space();
    if (this.skip('}')) return;
    const keys = new Set();
    for (;;) {
      const start = this.at;
      if (this.text[start] !== '"') this.broken('key');
      const key = this.string();
      if (keys.has(key)) throw new Broken('duplicate', start, key);
      keys.add(key);
      const inner = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      this.offsets.set(inner, start);
      this.space();
      if (!this.skip(':')) this.broken('colon');
      this.space();
      this.value(inner);
      this.space();
      if (this.skip('}')) return;
      if (!this.skip(',')) this.broken('comma');
      this.space();
    }
  }

  array(pointer) {
    this.at++;
    this.space();
    if (this.skip(']')) return;
    for (let index = 0; ; index++) {
      const inner = `${pointer}/${index}`;
      this.offsets.set(inner, this.at);
      this.value(inner);
      this.space();
      if (this.skip(']')) return;
      if (!this.skip(',')) this.broken('comma');
      this.space();
    }
  }

  string() {
    const start = this.at++;
    for (;;) {
      const character = this.text[this.at];
      if (character === '"') break;
      if (character === undefined || character < ' ') throw new Broken('string', start, '"');
      if (character !== '\\') this.at++;
      else if (this.match(ESCAPE) === undefined)
        throw new Broken('escape', this.at, this.text.slice(this.at, this.at + 2));
    }
    this.at++;
    return JSON.parse(this.text.slice(start, this.at));
  }

  space() {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at++;
  }

  skip(character) {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  broken(code) {
    const start = this.at;
    const found = this.match(WORD) ?? '';
    throw new Broken(found === '' ? 'end' : code, start, found);
  }
}

/**
 * @param {string} text
 * @returns {Places}
 */
export function placesOf(text) {
  const scan = new Scan(text);
  let fault;
  try {
    scan.document();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    fault = error.fault;
  }
  const at = (offset) => {
    const before = text.slice(0, offset);
    return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
  };
  const find = (pointer) => {
    let near = pointer;
    while (!scan.offsets.has(near) && near !== '') near = near.slice(0, Math.max(0, near.lastIndexOf('/')));
    return at(scan.offsets.get(near) ?? 0);
  };
  return { fault, find, at };
}

/** What a JSON text means; the text itself where it is none, so that nothing typed is lost. Any other value as it is. */
export function parsed(text) {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
