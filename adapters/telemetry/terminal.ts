import { stripVTControlCharacters, styleText } from 'node:util';

/** A log line as a person reads it: time of day, level, kind, message, and the other fields. */
export function prettyLine(json: string, colours: boolean): string {
  const { time, level, kind, msg, ...fields }: Record<string, unknown> = JSON.parse(json);
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const colour = level === 'error' ? 'red' : level === 'warn' ? 'yellow' : 'cyan';
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  return [
    paint('gray', String(time).slice(11, 23)),
    paint(colour, String(level).padEnd(5)),
    String(kind).padEnd(10),
    stripVTControlCharacters(String(msg)),
    ...(shown.length > 0 ? [paint('gray', shown.join(' '))] : []),
  ].join(' ');
}
