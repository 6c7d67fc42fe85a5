import { SkullError } from '../../core/model/errors.ts';

const MAX_NAME_BYTES = 200;
/** Control characters, half characters, line ends, and what turns the direction of the text after it. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
/** Names of devices, which some systems do not take for files. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Text without what cannot be shown. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '');

/** Why a name is no safe file name; undefined where it is one. */
function faultOf(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (/[/\\]/.test(name)) return 'has path parts';
  if (name !== printable(name)) return 'has control characters';
  // What a text becomes that is not UTF-8.
  if (name.includes('\uFFFD')) return 'is not UTF-8';
  if (name.startsWith('.')) return 'begins with a dot';
  if (name !== name.trim() || name.endsWith('.')) return 'begins or ends with a space, or ends with a dot';
  if (DEVICE.test(name)) return 'is the name of a device';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** A song's name of its file's; undefined where that is none of a song. */
export function nameOfFile(file: string): string | undefined {
  const name = /^(.*)\.mp3$/is.exec(file)?.[1]?.normalize('NFC');
  return name === undefined || faultOf(name) !== undefined ? undefined : name;
}

/** A song's name of what a sender calls its file. Throws `not_allowed`. */
export function nameOfUpload(filename: string): string {
  const name = /^(.*)\.mp3$/is.exec(filename)?.[1]?.normalize('NFC');
  const fault = name === undefined ? 'does not end in .mp3' : faultOf(name);
  if (name !== undefined && fault === undefined) return name;
  throw new SkullError('not_allowed', `The file's name ${fault}: send a plain one, as thriller.mp3.`, {
    issues: [{ path: '/file', message: `its name ${fault}` }],
  });
}
