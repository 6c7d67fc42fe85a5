import { PRIORITY_NAMES } from '../../model/priority.ts';
import { SERVICES } from '../../model/services.ts';
import { type TSchema, Type } from '../../model/type.ts';
import { SERVICE_STATES } from '../../supervision/report.ts';
import { FullAutoStatus } from '../fullauto/status.ts';
import { MODES, STATES } from '../topics.ts';
import { define, type Operation } from './operation.ts';

const Check = Type.Enum(['ok', 'down', 'not_configured'], {
  description: '`not_configured`: this installation has none, which is no fault.',
});

export const Health = Type.Object({
  status: Type.Enum(['healthy', 'degraded', 'unhealthy'], {
    description: '`degraded`: the skull works, but something is to be looked at; `unhealthy`: no statechart moves it.',
  }),
  version: Type.String(),
  service: Type.Literal('orchestrator'),
  uptime_seconds: Type.Integer({ minimum: 0 }),
  checks: Type.Object({
    mqtt: Check,
    database: Check,
    service_manager: Check,
    statechart: Check,
    config: Type.Enum(['ok', 'degraded'], { description: '`degraded`: see `problems`.' }),
  }),
  problems: Type.Array(Type.String(), {
    description:
      'What is wrong with the stored configuration, the memory of the statechart, the services or their manager, in words.',
  }),
});

const healthyExample = {
  status: 'healthy',
  version: '0.1.0',
  service: 'orchestrator',
  uptime_seconds: 3600,
  checks: { mqtt: 'ok', database: 'not_configured', service_manager: 'not_configured', statechart: 'ok', config: 'ok' },
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

const Nullable = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);

export const ServiceReport = Type.Object({
  state: Type.Enum([...SERVICE_STATES], {
    description:
      '`unknown`: not heard yet, or not watched; `silent`: not heard for too long; `crashed`: its unit ended unasked; `restarting`: asked to start, not heard since; `failed`: given up; `stopped`: on purpose.',
  }),
  alive: Type.Boolean({ description: 'True in state `alive` only.' }),
  last_seen: Nullable(Type.String({ description: 'ISO 8601.' })),
  restarts: Type.Integer({ minimum: 0, description: 'How often it was restarted because it crashed or fell silent.' }),
});

export const Activity = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: '`greet`, `sing`, `say` or `converse`.' }),
  priority: Type.Enum(PRIORITY_NAMES),
  running_ms: Type.Integer({ minimum: 0 }),
});

export const Mode = Type.Enum([...MODES], { description: 'What the operator wants of the skull.' });
/** Not a closed list: whoever extends the statechart has further states. */
export const State = Type.String({ description: 'What the skull does now.', examples: [...STATES] });

export const Status = Type.Object({
  mode: Type.Unsafe<string>(Mode),
  state: State,
  estop: Type.Boolean({ description: 'True while the emergency stop is on.' }),
  uptime_seconds: Type.Integer({ minimum: 0 }),
  version: Type.String(),
  activity: Nullable(Activity),
  queued: Type.Integer({ minimum: 0 }),
  paused: Type.Integer({ minimum: 0 }),
  services: Type.Object({
    motion: ServiceReport,
    vision: ServiceReport,
    voice: ServiceReport,
    audioin: ServiceReport,
    asr: ServiceReport,
    ai: ServiceReport,
  }),
  mqtt: Type.Object({ connected: Type.Boolean(), url: Type.String({ description: 'Without credentials.' }) }),
  fullauto: FullAutoStatus,
});

const seen = { state: 'alive', alive: true, last_seen: '2026-01-01T12:00:00.000Z', restarts: 0 };
const exampleActivity = { id: 'k3v9', kind: 'greet', priority: 'LOW', running_ms: 1200 };

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
    example: {
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
    },
  },
  errors: [],
  handle: (_request, character) => ({ body: character.status() }),
});

export const SERVICE_OPERATIONS: readonly Operation[] = [health, status];
