import { type ErrorCode, SkullError } from '../../model/errors.ts';
import { type TSchema, Type } from '../../model/type.ts';
import { isJudged } from '../config/check.ts';
import { patchSchema } from '../config/patch.ts';
import { DEFAULTS, isSectionName, SECTION_NAMES, SECTIONS, type SectionName } from '../config/sections.ts';
import { define, type Method, type Operation, type RequestBody, type Tag } from './operation.ts';

/** Room for the greetings, the largest of all settings: 200 of 1000 characters each. */
const SECTION_BYTES = 1024 * 1024;
const PATCH_TYPES = ['application/merge-patch+json', 'application/json'] as const;

/** Whether it is an object is all that is asked here: the store checks what it takes, for every door alike. */
const Values = Type.Object({}, { additionalProperties: true });

const AnySection = Type.Union(SECTION_NAMES.map((name) => SECTIONS[name]));
const AnyPatch = Type.Union(SECTION_NAMES.map((name) => patchSchema(SECTIONS[name])));
const Param = Type.Object({
  section: Type.String({
    maxLength: 100,
    description: `The name of a section: ${SECTION_NAMES.join(', ')}.`,
    examples: ['gaze'],
  }),
});

function sectionOf({ section }: { section: string }): SectionName {
  if (isSectionName(section)) return section;
  throw new SkullError('not_found', `There is no section ${section}: there are ${SECTION_NAMES.join(', ')}.`);
}

/** What the three operations on a section have in common, at whatever path they are. */
interface Place {
  tag: Tag;
  path: string;
  /** In the operation's id: `Section` makes `getSection`, `replaceSection`, `patchSection`. */
  noun: string;
  /** In the texts: `a section`, `section ia`. */
  what: string;
  section(params: unknown): SectionName;
  /** Whether a value may be well formed and yet not allowed. */
  judged: boolean;
  params?: typeof Param;
  schema: TSchema;
  patch: TSchema;
  example: object;
  patchExample: object;
}

function operationsAt(place: Place): Operation[] {
  const { path, tag, noun, what, judged, params, example, schema } = place;
  const stored = {
    status: 200,
    description: 'The section as it is stored now.',
    schema: Values,
    documented: schema,
    example,
  };
  const common = { path, tag, role: 'editor' as const, success: stored, ...(params !== undefined && { params }) };
  const missing: ErrorCode[] = params === undefined ? [] : ['not_found'];

  const writing = (
    method: Method,
    id: string,
    summary: string,
    description: string,
    body: RequestBody<typeof Values>,
  ) =>
    define({
      ...common,
      method,
      id,
      summary,
      description,
      body,
      errors: judged ? [...missing, 'not_allowed'] : missing,
      handle: (request, character) => {
        const section = place.section(request.params);
        const { config } = character;
        const accept = method === 'PATCH' ? config.merge : config.replace;
        return { body: { ...accept.call(config, section, request.body, 'rest') } };
      },
    });

  return [
    define({
      ...common,
      role: 'viewer',
      method: 'GET',
      id: `get${noun}`,
      summary: `Read ${what}`,
      description: 'All keys, those that were never set with their defaults.',
      errors: missing,
      handle: (request, character) => ({ body: { ...character.config.get(place.section(request.params)) } }),
    }),
    writing(
      'PUT',
      `replace${noun}`,
      `Replace ${what}`,
      'Keys that are left out get their defaults. A running state goes on as it was; the new values hold from the next one on.',
      { schema: Values, documented: schema, example, maxBytes: SECTION_BYTES },
    ),
    writing(
      'PATCH',
      `patch${noun}`,
      `Change ${what}`,
      'A JSON Merge Patch (RFC 7396): null sets a key to its default.',
      {
        schema: Values,
        documented: place.patch,
        example: place.patchExample,
        types: PATCH_TYPES,
        maxBytes: SECTION_BYTES,
      },
    ),
  ];
}

/** A section that has a path of its own beside `/config/{section}`. */
export function sectionAt(
  path: string,
  section: SectionName,
  tag: Tag,
  noun: string,
  patchExample: object,
): Operation[] {
  return operationsAt({
    path,
    tag,
    noun,
    what: `section ${section}`,
    section: () => section,
    judged: isJudged(section),
    schema: SECTIONS[section],
    patch: patchSchema(SECTIONS[section]),
    example: DEFAULTS[section],
    patchExample,
  });
}

const getConfig = define({
  id: 'getConfig',
  method: 'GET',
  path: '/config',
  tag: 'Configuration',
  summary: 'Read all sections',
  description: 'Every section by its name, all keys.',
  role: 'viewer',
  success: {
    status: 200,
    description: 'The whole configuration.',
    schema: Type.Object({}, { additionalProperties: true }),
    documented: Type.Object(SECTIONS),
    example: DEFAULTS,
  },
  errors: [],
  handle: (_request, character) => ({ body: character.config.all() }),
});

export const CONFIG_OPERATIONS: readonly Operation[] = [
  getConfig,
  ...operationsAt({
    path: '/config/{section}',
    tag: 'Configuration',
    noun: 'Section',
    what: 'a section',
    params: Param,
    section: (params) => sectionOf(params as { section: string }),
    judged: true,
    schema: AnySection,
    patch: AnyPatch,
    example: DEFAULTS.gaze,
    patchExample: { track_ms: 1200 },
  }),
];
