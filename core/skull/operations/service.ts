import { SkullError } from '../../model/errors.ts';
import { METRICS_TYPE } from '../../model/metrics.ts';
import { PriorityName } from '../../model/priority.ts';
import { SERVICES } from '../../model/services.ts';
import { timestamp } from '../../model/timestamp.ts';
import { type TSchema, Type } from '../../model/type.ts';
import { SERVICE_STATES } from '../../supervision/report.ts';
import { FullAutoStatus } from '../fullauto/status.ts';
import { MODES, STATES } from '../topics.ts';
import { define, type Operation } from './operation.ts';

export const Check = Type.Enum(['ok', 'down', 'not_configured'], {
  description: '`not_configured`: this installation has none, which is no fault.',
});

export const Health = Type.Object({
  status: Type.Enum(['healthy', 'degraded', 'unhealthy'], {
    description: '`degraded`: the skull works, but something is to be looked at; `unhealthy`: no statechart moves it.',
  }),
  version: Type.String({ description: 'Of the orchestrator.' }),
  service: Type.Literal('orchestrator', { description: 'Tells it from other services that are probed.' }),
  uptime_seconds: Type.Integer({ minimum: 0, description: 'Since its start.' }),
  checks: Type.Object(
    {
      mqtt: Check,
      database: Check,
      service_manager: Check,
      statechart: Check,
      config: Type.Enum(['ok', 'degraded'], { description: '`degraded`: see `problems`.' }),
    },
    { description: 'What it relies on, part by part.' },
  ),
  problems: Type.Array(Type.String(), {
    description:
      'What is wrong with the stored configuration, the memory of the statechart, the services, their manager or the event log, in words.',
  }),
});

const healthyExample = {
  status: 'healthy',
  version: '0.1.0',
  service: 'orchestrator',
  uptime_seconds: 3600,
  checks: { mqtt: 'ok', database: 'ok', service_manager: 'not_configured', statechart: 'ok', config: 'ok' },
  problems: [],
};

const health = define({
  id: 'getHealth',
  method: 'GET',
  path: '/health',
  tag: 'Service',
  summary: 'Is the orchestrator well?',
  description: 'For a probe: 200 while the skull can do its work, 503 while it cannot.',
  role: 'public',
  success: {
    status: 200,
    description: 'The orchestrator works, at least degraded.',
    schema: Health,
    example: healthyExample,
    also: { 503: 'The orchestrator is unhealthy.' },
  },
  errors: [],
  handle: (_request, character) => {
    const body = character.health();
    return { body, status: body.status === 'unhealthy' ? 503 : 200 };
  },
});

const Nullable = <T extends TSchema>(type: T, description: string) => Type.Union([type, Type.Null()], { description });

export const ServiceReport = Type.Object({
  state: Type.Enum([...SERVICE_STATES], {
    description:
      '`unknown`: not heard yet, or not watched; `silent`: not heard for too long; `crashed`: its unit ended unasked; `restarting`: asked to start, not heard since; `failed`: given up; `stopped`: on purpose.',
  }),
  alive: Type.Boolean({ description: 'True in state `alive` only.' }),
  last_seen: Nullable(timestamp('When it was heard last.'), 'Null before it was heard first.'),
  restarts: Type.Integer({ minimum: 0, description: 'How often it was restarted because it crashed or fell silent.' }),
});

export const Activity = Type.Object({
  id: Type.String({ description: 'Names it on MQTT too.' }),
  kind: Type.String({ description: '`greet`, `sing`, `say` or `converse`.' }),
  priority: PriorityName,
  running_ms: Type.Integer({ minimum: 0, description: 'Since it began, in milliseconds.' }),
});

export const Mode = Type.Enum([...MODES], { description: 'What the operator wants of the skull.' });
/** Not a closed list: whoever extends the statechart has further states. */
export const State = Type.String({ description: 'What the skull does now.', examples: [...STATES] });

export const Status = Type.Object({
  mode: Type.Unsafe<string>(Mode),
  state: State,
  estop: Type.Boolean({ description: 'True while the emergency stop is on.' }),
  uptime_seconds: Type.Integer({ minimum: 0, description: 'Since the start of the orchestrator.' }),
  version: Type.String({ description: 'Of the orchestrator.' }),
  activity: Nullable(Activity, 'What has the body; null where nothing has.'),
  queued: Type.Integer({ minimum: 0, description: 'How many activities wait for the body.' }),
  paused: Type.Integer({ minimum: 0, description: 'How many activities are paused.' }),
  services: Type.Object(
    {
      motion: ServiceReport,
      vision: ServiceReport,
      voice: ServiceReport,
      audioin: ServiceReport,
      asr: ServiceReport,
      ai: ServiceReport,
    },
    { description: 'Each service by its name.' },
  ),
  mqtt: Type.Object(
    {
      connected: Type.Boolean({ description: 'Whether there is a connection now.' }),
      url: Type.String({ description: 'Without credentials.' }),
    },
    { description: 'The connection to the broker.' },
  ),
  fullauto: FullAutoStatus,
});

const seen = { state: 'alive', alive: true, last_seen: '2026-01-01T12:00:00.000Z', restarts: 0 };
const exampleActivity = { id: 'k3v9', kind: 'greet', priority: 'LOW', running_ms: 1200 };

export const exampleStatus = {
  mode: 'Accueil',
  state: 'Talk',
  estop: false,
  uptime_seconds: 3600,
  version: '0.1.0',
  activity: exampleActivity,
  queued: 0,
  paused: 0,
  services: Object.fromEntries(SERVICES.map((service) => [service, seen])),
  mqtt: { connected: true, url: 'mqtt://127.0.0.1:1883' },
  fullauto: { enabled: false, next_song_at: null, step: null, cycle_id: null, held: false, upcoming: [] },
};

const status = define({
  id: 'getStatus',
  method: 'GET',
  path: '/status',
  tag: 'Skull',
  summary: 'What the skull does now',
  description:
    'Mode, state, activity, services and connections in one look; the same as on topic `orchestrator/status`.',
  role: 'viewer',
  success: {
    status: 200,
    description: 'The status.',
    schema: Status,
    example: exampleStatus,
  },
  errors: [],
  handle: (_request, character) => ({ body: character.status() }),
});

const metrics = define({
  id: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  tag: 'Service',
  summary: 'Figures for Prometheus',
  description:
    'States, activities, services, messages, requests and the process, in the text format of Prometheus. A scraper sends its key as `Authorization: Bearer`.',
  role: 'viewer',
  success: {
    status: 200,
    type: METRICS_TYPE,
    description: 'The figures.',
    schema: Type.String(),
    example: '# HELP skull_estop 1 while the emergency stop is on.\n# TYPE skull_estop gauge\nskull_estop 0\n',
  },
  errors: ['not_found'],
  handle: async (_request, { ports }) => {
    if (ports.metrics === undefined) {
      throw new SkullError('not_found', 'No figures are kept here: METRICS_ENABLED is false.');
    }
    return { body: await ports.metrics.render() };
  },
});

export const SERVICE_OPERATIONS: readonly Operation[] = [health, status, metrics];
