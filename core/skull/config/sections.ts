import { SERVICES, type ServiceName } from '../../model/services.ts';
import { type Static, type TSchema, Type } from '../../model/type.ts';
import { deepFreeze } from './json.ts';

const A_DAY_MS = 24 * 60 * 60 * 1000;
const SHORTEST_MS = 100;
const closed = { additionalProperties: false } as const;

interface About {
  title: string;
  description: string;
}

const milliseconds =
  (rules: { minimum: number; anyOf?: readonly object[] }) =>
  ({ title, description }: About, standard: number) =>
    Type.Integer({
      title,
      description: `${description} In milliseconds.`,
      'x-unit': 'ms',
      ...rules,
      maximum: A_DAY_MS,
      default: standard,
    });

/** How long a step or a state may last. */
const limit = milliseconds({ minimum: SHORTEST_MS });

/** A time, 0 where there shall be none. */
const span = milliseconds({ minimum: 0, anyOf: [{ const: 0 }, { minimum: SHORTEST_MS }] });

const flag = (about: About, standard: boolean) => Type.Boolean({ ...about, default: standard });

/** A share of a whole: 0 nothing, 1 all of it. */
const share = (about: About, standard: number) => Type.Number({ ...about, minimum: 0, maximum: 1, default: standard });

const textOrNone = (about: About, rules: { pattern: string; maxLength: number }) =>
  Type.Unsafe<string | null>({ ...about, ...rules, type: ['string', 'null'], minLength: 1, default: null });

const NOT_BLANK = '\\S';

export const Vision = Type.Object(
  {
    threshold: share(
      { title: 'Motion threshold', description: 'A motion score above this wakes the skull. From 0 to 1.' },
      0.5,
    ),
    cooldown_ms: span(
      { title: 'Cool-down', description: 'Rest after the end of a greeting before the next one; 0: none.' },
      10_000,
    ),
    sleep_after_ms: span(
      { title: 'Sleep after', description: 'The skull falls asleep after so long without a stimulus; 0: never.' },
      600_000,
    ),
  },
  { ...closed, title: 'Vision', description: 'When the skull takes notice of somebody, and when it falls asleep.' },
);

export const Gaze = Type.Object(
  {
    enabled: flag({ title: 'Gaze on', description: 'Whether the head follows what it sees.' }, true),
    track_ms: limit({ title: 'Look before speaking', description: 'How long the skull looks before it greets.' }, 800),
    smoothing: share(
      { title: 'Smoothing', description: 'How soft the movement is: 0 follows at once, 1 hardly moves.' },
      0.3,
    ),
  },
  { ...closed, title: 'Gaze', description: 'How the head follows a visitor.' },
);

const angle = (title: string, description: string) =>
  Type.Number({ title, description: `${description} In degrees.`, minimum: -180, maximum: 180 });

export const ServoLimits = Type.Object(
  {
    min: angle('Smallest angle', 'The servo never goes below this.'),
    max: angle('Largest angle', 'The servo never goes above this.'),
    center: angle('Rest', 'Where the servo rests; between the smallest and the largest angle.'),
  },
  { ...closed, title: 'Limits of a servo' },
);
export type ServoLimits = Static<typeof ServoLimits>;

/** A servo's name is a level of a topic and a part of an address. */
const ServoName = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,31}$' });

export const Motion = Type.Object(
  {
    servos: Type.Record(ServoName, ServoLimits, {
      ...closed,
      title: 'Servos',
      description: 'Name of each servo and its limits, in degrees.',
      maxProperties: 32,
      default: {
        jaw: { min: 0, max: 40, center: 0 },
        pan: { min: -60, max: 60, center: 0 },
        tilt: { min: -20, max: 20, center: 0 },
      },
    }),
  },
  { ...closed, title: 'Motion', description: 'The servos and how far they may turn.' },
);

export const Accueil = Type.Object(
  {
    greetings: Type.Array(Type.String({ pattern: NOT_BLANK, maxLength: 1000 }), {
      title: 'Greetings',
      description: 'What the skull may say to a visitor; one is drawn, never the same twice running.',
      minItems: 1,
      maxItems: 200,
      uniqueItems: true,
      default: [
        'Approche, approche… Je ne mords plus : il me manque la mâchoire de mes vingt ans.',
        'Tiens, un vivant ! Cela faisait une éternité.',
        'Bienvenue ! Pardonne ma mine, je n’ai plus que les os, et encore : j’ai égaré les autres.',
        'Ne fais pas cette tête. D’habitude, c’est la mienne qui fait peur.',
        'Entre donc, prends ton temps. Moi, j’ai toute la mort devant moi.',
        'Je t’ai vu venir de loin, et pourtant je n’ai plus d’yeux.',
      ],
    }),
    lang: Type.String({
      title: 'Language',
      description: 'The language of the greetings, as a BCP 47 tag.',
      pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
      maxLength: 35,
      default: 'fr-FR',
    }),
    talk_timeout_ms: limit(
      { title: 'Longest greeting', description: 'The skull stops waiting for its voice after this.' },
      15_000,
    ),
  },
  { ...closed, title: 'Accueil', description: 'How the skull greets a visitor.' },
);

export const Song = Type.Object(
  {
    default: textOrNone(
      { title: 'Default song', description: 'The song that plays when none is named; null: there is none.' },
      { pattern: '^[^./\\\\][^/\\\\]*$', maxLength: 200 },
    ),
    volume: Type.Number({
      title: 'Volume',
      description: 'How loud songs are. In percent.',
      minimum: 0,
      maximum: 100,
      default: 80,
    }),
    jaw_sync: flag({ title: 'Jaw moves', description: 'Whether the jaw moves with the song.' }, true),
    margin_ms: span(
      { title: 'Margin', description: 'How long after its duration a song counts as over without a word; 0: at once.' },
      2000,
    ),
  },
  { ...closed, title: 'Song', description: 'How the skull sings.' },
);

export const Ia = Type.Object(
  {
    backend: Type.Enum(['service', 'builtin'], {
      title: 'Who answers',
      description: 'The AI service over MQTT, or the provider that is built in.',
      default: 'service',
    }),
    provider: Type.String({
      title: 'Provider',
      description: 'Who runs the language model.',
      pattern: NOT_BLANK,
      maxLength: 100,
      default: 'demo',
    }),
    model: Type.String({
      title: 'Model',
      description: 'The language model, by its provider’s name for it.',
      pattern: NOT_BLANK,
      maxLength: 200,
      default: 'demo',
    }),
    prompt_system: Type.String({
      title: 'System prompt',
      description: 'Who the skull is, told to the language model before each conversation.',
      maxLength: 20_000,
      default:
        'Tu es un crâne parlant, malicieux et courtois, qui reçoit des visiteurs. Réponds en français, en deux phrases ' +
        'courtes au plus, sans liste ni émoticône : ta réponse est dite à voix haute.',
    }),
    temperature: Type.Number({
      title: 'Temperature',
      description: 'How freely the model answers: 0 always alike, 2 wild.',
      minimum: 0,
      maximum: 2,
      default: 0.7,
    }),
    listen_timeout_ms: limit(
      { title: 'Longest listening', description: 'The skull stops listening when nothing was understood for so long.' },
      10_000,
    ),
    think_timeout_ms: limit(
      { title: 'Longest thinking', description: 'The skull stops waiting for an answer after this.' },
      15_000,
    ),
    speak_timeout_ms: limit(
      { title: 'Longest answer', description: 'The skull stops waiting for its voice after this.' },
      30_000,
    ),
    fallback_text: textOrNone(
      { title: 'When no answer comes', description: 'What the skull says then; null: nothing.' },
      { pattern: NOT_BLANK, maxLength: 1000 },
    ),
  },
  { ...closed, title: 'IA', description: 'How the skull converses.' },
);

const TimeOfDay = (title: string) =>
  Type.String({ title, description: 'Hours and minutes, 00:00 to 23:59.', pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' });

const QuietHours = Type.Object(
  {
    from: TimeOfDay('From'),
    to: TimeOfDay('To'),
    timezone: Type.String({ title: 'Time zone', description: 'By its IANA name, as Europe/Paris.', maxLength: 64 }),
  },
  closed,
);
export type QuietHours = Static<typeof QuietHours>;

export const FullAuto = Type.Object(
  {
    interval_song_ms: limit(
      { title: 'Time between songs', description: 'From the start of one song to the start of the next.' },
      300_000,
    ),
    accueil_after_song: flag({ title: 'Greeting after a song', description: 'Whether Accueil follows a song.' }, true),
    ia_after_accueil: flag({ title: 'IA after Accueil', description: 'Whether IA follows Accueil.' }, true),
    accueil_step_ms: limit({ title: 'Longest Accueil', description: 'How long the Accueil step lasts.' }, 30_000),
    ia_step_ms: limit({ title: 'Longest IA', description: 'How long the IA step lasts.' }, 60_000),
    shuffle: flag({ title: 'Shuffle', description: 'Whether songs are drawn; if not, they follow their names.' }, true),
    hold: flag({ title: 'Hold', description: 'Whether no new song starts until this is taken back.' }, false),
    quiet_hours: Type.Unsafe<QuietHours | null>({
      ...QuietHours,
      type: ['object', 'null'],
      title: 'Quiet hours',
      description: 'No song starts between these times of day; null: songs at any hour.',
      default: null,
    }),
  },
  { ...closed, title: 'FullAuto', description: 'What the skull does by itself, all day long.' },
);

export const Supervised = Type.Object(
  {
    timeout_ms: span(
      { title: 'Longest silence', description: 'A service that is silent for longer is restarted; 0: never.' },
      15_000,
    ),
    enabled: flag({ title: 'In use', description: 'Whether this service is started and watched.' }, true),
  },
  { ...closed, description: 'How a service is watched.', default: { timeout_ms: 15_000, enabled: true } },
);

const supervised = Object.fromEntries(SERVICES.map((service) => [service, Supervised])) as Record<
  ServiceName,
  typeof Supervised
>;

export const Services = Type.Object(supervised, {
  ...closed,
  title: 'Services',
  description: 'The six services and how they are watched.',
});

/** The one schema of each section: it checks files, MQTT, REST and the editor, and documents them. */
export const SECTIONS = {
  vision: Vision,
  gaze: Gaze,
  motion: Motion,
  accueil: Accueil,
  song: Song,
  ia: Ia,
  fullauto: FullAuto,
  services: Services,
} as const;

export type SectionName = keyof typeof SECTIONS;
export type Config = { readonly [S in SectionName]: Static<(typeof SECTIONS)[S]> };

export const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

const defaultsOf = ({ properties }: { properties: Record<string, TSchema & { default?: unknown }> }) =>
  Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, schema.default]));

/** Every section as it is before anybody has changed it. */
export const DEFAULTS: Config = deepFreeze(
  Object.fromEntries(SECTION_NAMES.map((section) => [section, defaultsOf(SECTIONS[section])])) as Config,
);

export function isSectionName(name: unknown): name is SectionName {
  return typeof name === 'string' && Object.hasOwn(SECTIONS, name);
}
