import { createHash } from 'node:crypto';
import { type Issue, SkullError } from '../../model/errors.ts';
import { parse, refuseInfinite } from '../../model/schema.ts';
import { deepFreeze, jsonCopy } from './json.ts';
import { type Config, SECTIONS, type SectionName } from './sections.ts';

/** What a schema cannot say of a section. */
const RULES: { [S in SectionName]?: (value: Config[S]) => Issue[] } = {
  motion: ({ servos }) =>
    Object.entries(servos).flatMap(([name, { min, max, center }]) => {
      if (min >= max) return [{ path: `/servos/${name}/min`, message: `must be below max, ${max}` }];
      if (center < min || center > max)
        return [{ path: `/servos/${name}/center`, message: `must lie between min and max, ${min} to ${max}` }];
      return [];
    }),
  fullauto: ({ quiet_hours: quiet }) => {
    if (quiet === null) return [];
    const issues: Issue[] = [];
    if (quiet.from === quiet.to) issues.push({ path: '/quiet_hours/to', message: 'must differ from from' });
    if (!isTimezone(quiet.timezone))
      issues.push({ path: '/quiet_hours/timezone', message: 'is not a known time zone, as Europe/Paris is' });
    return issues;
  },
};

/** Whether a value of a section may be well formed and yet not allowed. */
export const isJudged = (section: SectionName): boolean => section in RULES;

/** Tells whether a section was checked by these rules or by those of another release. */
export const RULES_DIGEST = createHash('sha256')
  .update(JSON.stringify(SECTIONS))
  .update(Object.values(RULES).join('\n'))
  .digest('base64url');

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy of the value as that section, frozen, with defaults where keys are missing. Throws SkullError `invalid` (not
 * the section's shape) or `not_allowed` (well formed, but it makes no sense), whose issues name each place.
 */
export function checkedSection<S extends SectionName>(section: S, value: unknown): Config[S] {
  const what = `The section ${section}`;
  const copy = jsonCopy(value);
  // In the copy null has taken the place of such a number.
  refuseInfinite(value, what);
  const checked = parse(SECTIONS[section], copy, { what }) as Config[S];
  const [first, ...more] = RULES[section]?.(checked) ?? [];
  if (first !== undefined)
    throw new SkullError('not_allowed', `${what} is not allowed: ${first.path} ${first.message}.`, {
      issues: [first, ...more],
    });
  return deepFreeze(checked);
}
