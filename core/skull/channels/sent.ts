import { type TSchema, Type } from '../../model/type.ts';
import { HEALTH_TOPIC, HealthNews } from '../../supervision/health.ts';
import { DEFAULTS, Ia, SECTION_NAMES, SECTIONS, ServoLimits } from '../config/sections.ts';
import { exampleStatus, Status } from '../operations/service.ts';
import { examplePriorities } from '../operations/tasks.ts';
import { PriorityStatus } from '../priorities.ts';
import { STATES } from '../topics.ts';
import { type Channel, ESTOP_WORD, type Exchange, json, type Message, MODE_WORD, text, words } from './channel.ts';
import { Event } from './event.ts';

const Id = Type.String({ description: "The activity's id; whoever answers says it again." });
const offset = Type.Number({ minimum: 0, description: 'Where in the sound to begin, in milliseconds.' });
const axis = (description: string) => Type.Number({ minimum: -1, maximum: 1, description });
const EMPTY = Type.Object({}, { description: 'Says nothing: the topic is the order.' });

const Say = Type.Object({
  id: Id,
  text: Type.String({ description: 'What is to be said.' }),
  lang: Type.String({ description: 'Its language, as a BCP 47 tag.' }),
});
const Play = Type.Object({
  id: Id,
  path: Type.String({ description: 'The file, as the orchestrator sees it.' }),
  offset_ms: offset,
  volume: Type.Number({ minimum: 0, maximum: 100, description: 'In percent.' }),
  jaw_sync: Type.Boolean({ description: 'Whether frames for the jaw come on `motion/jaw`.' }),
});
const Pause = Type.Object({ id: Id });
const Resume = Type.Object({ id: Id, offset_ms: offset });
const Stop = Type.Object({ id: Type.Optional(Id) }, { description: 'Without an `id`: whatever sounds.' });
const Track = Type.Object({
  active: Type.Boolean({ description: 'Whether the head follows somebody.' }),
  x: axis('Across the picture, -1 and 1 at its edges.'),
  y: axis('Up and down the picture, -1 and 1 at its edges.'),
});
const Move = Type.Object({
  angle: Type.Number({ description: 'In degrees.' }),
  duration_ms: Type.Integer({ minimum: 0, description: 'How long the movement takes.' }),
});
const Frame = Type.Object({
  open: Type.Number({ minimum: 0, maximum: 1, description: '0 closed, 1 wide open.' }),
  t: Type.Number({ minimum: 0, description: 'The position in the song, in milliseconds.' }),
});
const Listen = Type.Object({ active: Type.Boolean({ description: 'Whether to listen.' }) });
const Request = Type.Object({
  id: Id,
  text: Type.String({ description: 'What was said to the skull.' }),
  prompt_system: Type.String({ description: 'Who the skull is.' }),
});

type Options = Partial<Pick<Exchange, 'retain' | 'qos' | 'description'>> & Pick<Channel, 'parameters'>;

function sent(address: string, title: string, summary: string, messages: readonly Message[], options: Options = {}) {
  const { parameters, ...rest } = options;
  return {
    address,
    title,
    ...(parameters && { parameters }),
    send: { summary, retain: false, qos: 0, messages, ...rest },
  } satisfies Channel;
}

const one = (id: string, title: string, schema: TSchema, ...examples: unknown[]) => [
  json(id, { title }, schema, examples),
];
const word = (id: string, title: string, schema: TSchema, ...examples: string[]) => [
  text(id, { title }, schema, examples),
];

const kept = { retain: true } as const;
const setting = { retain: true, qos: 1 } as const;
const servo = { name: { description: 'The name of a servo in section `motion`.', examples: ['jaw', 'pan', 'tilt'] } };

const State = Type.String({ description: 'What the skull does now.', examples: [...STATES] });
const jaw = { min: 0, max: 40, center: 0 };

const sections = SECTION_NAMES.map((section) =>
  json(`${section}Config`, { title: `Section ${section} as it holds` }, SECTIONS[section], [DEFAULTS[section]]),
);

const exampleEvent = {
  seq: 7,
  time: '2026-01-01T12:00:00.000Z',
  kind: 'transition',
  subject: 'skull',
  cause: 'activity/start',
  data: { from: 'Idle', to: 'Track', mode: 'Accueil' },
};

const states = Object.fromEntries(Object.keys(exampleStatus.services).map((service) => [service, 'alive']));
const exampleHealth = {
  status: 'healthy',
  services: states,
  event_loop_delay_ms: { p50: 10.2, p99: 11.4, max: 14.9 },
  memory: { rss: 98_000_000, heap_used: 31_000_000 },
  cpu_percent: 2.1,
  mqtt: { in_per_s: 12.5, out_per_s: 3.1, dropped: 0 },
  uptime_seconds: 3600,
};

/** Every topic that the orchestrator publishes on. */
export const SENT: readonly Channel[] = [
  sent(
    'orchestrator/state',
    'State',
    'What the skull does now: every change once, in order.',
    word('state', 'State', State, 'Idle', 'Talk'),
    kept,
  ),
  sent('skull/mode', 'Mode', 'The mode, when it has changed, and at start.', [MODE_WORD], kept),
  sent(
    'skull/config/{section}',
    'Section of the configuration',
    'A section of the configuration, when it has changed, and at start.',
    sections,
    {
      ...setting,
      description: 'A change that came in on this very topic is not said again.',
      parameters: { section: { description: 'The name of the section.', values: SECTION_NAMES } },
    },
  ),
  sent(
    'orchestrator/availability',
    'Availability',
    'Whether the orchestrator is there.',
    word('availability', 'Availability', words(['online', 'offline'], 'Whether it is there.'), 'online', 'offline'),
    { ...kept, description: '`offline` is also its last will: the broker says it when the connection is lost.' },
  ),
  sent(
    'orchestrator/status',
    'Status',
    'What `GET /status` answers, when it has changed, at most once a second.',
    one('status', 'Status', Status, exampleStatus),
    kept,
  ),
  sent(
    'orchestrator/tasks',
    'Tasks',
    'What `GET /clone/orchestrator/status` answers, when it has changed, at most once a second.',
    one('priorityStatus', 'Tasks', PriorityStatus, examplePriorities),
    kept,
  ),
  sent(
    HEALTH_TOPIC,
    'Health',
    'How the orchestrator and the services are.',
    one('healthNews', 'Health', HealthNews, exampleHealth),
    {
      ...kept,
      description: 'At an interval, and when it has changed; not while nothing happens.',
    },
  ),
  sent(
    'orchestrator/event',
    'Event',
    'What happened: one message for each event.',
    one('event', 'Event', Event, exampleEvent),
  ),
  sent('motion/estop', 'Emergency stop', 'The emergency stop, for whoever moves something.', [ESTOP_WORD], {
    ...kept,
    description: 'When it is pressed or released, through whatever door, and at start while it is on.',
  }),
  sent(
    'orchestrator/estop',
    'Latch of the emergency stop',
    'The emergency stop as it holds here, also over a restart.',
    [ESTOP_WORD],
    kept,
  ),
  sent(
    'voice/say',
    'Say',
    'Say a text.',
    one('say', 'Say', Say, { id: 'k3v9', text: 'Tiens, un vivant !', lang: 'fr-FR' }),
  ),
  sent(
    'voice/play',
    'Play',
    'Play a song.',
    one('play', 'Play', Play, {
      id: 'k3v9',
      path: '/opt/Skull/songs/thriller.mp3',
      offset_ms: 0,
      volume: 80,
      jaw_sync: true,
    }),
  ),
  sent('voice/pause', 'Pause', 'Pause what sounds: it will go on.', one('pause', 'Pause', Pause, { id: 'k3v9' })),
  sent(
    'voice/resume',
    'Resume',
    'Go on with what was paused.',
    one('resume', 'Resume', Resume, { id: 'k3v9', offset_ms: 12_400 }),
  ),
  sent('voice/stop', 'Stop', 'End what sounds.', one('stop', 'Stop', Stop, { id: 'k3v9' }, {})),
  sent('motion/center', 'Centre', 'Bring every servo to its rest.', one('center', 'Centre', EMPTY, {})),
  sent(
    'motion/track',
    'Gaze',
    'Follow somebody with the head, or cease to.',
    one('track', 'Gaze', Track, { active: true, x: 0.2, y: -0.1 }),
  ),
  sent(
    'motion/jaw',
    'Jaw',
    'Open the jaw so far; 25 times a second while a song plays.',
    one('jaw', 'Jaw', Frame, { open: 0.4, t: 12_440 }),
  ),
  sent(
    'motion/servo/{name}/move',
    'Move a servo',
    'Turn a servo.',
    one('move', 'Movement', Move, { angle: 12.5, duration_ms: 300 }),
    { parameters: servo },
  ),
  sent(
    'motion/servo/{name}/limits',
    'Limits of a servo',
    'How far a servo may turn, when it has changed, and at start.',
    [
      json('servoLimits', { title: 'Limits' }, ServoLimits, [jaw]),
      text('noServo', { title: 'Nothing', description: 'The servo is gone.' }, Type.String({ maxLength: 0 }), ['']),
    ],
    { ...setting, parameters: servo },
  ),
  sent('asr/listen', 'Listen', 'Listen, or cease to.', one('listen', 'Listen', Listen, { active: true })),
  sent(
    'ai/request',
    'Request to the AI',
    'Somebody waits for an answer, on `ai/response`.',
    one('request', 'Request', Request, { id: 'k3v9', text: 'bonjour', prompt_system: DEFAULTS.ia.prompt_system }),
  ),
  sent(
    'ai/config',
    'Settings of the AI',
    'Section `ia`, when it has changed, and at start.',
    one('iaConfig', 'Section ia as it holds', Ia, DEFAULTS.ia),
    setting,
  ),
];
