import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { PACKAGE_ROOT, VERSION } from '../adapters/files/package-root.ts';
import type { ManagerChoice } from '../adapters/systemd/open-manager.ts';
import { SkullError } from '../core/model/errors.ts';
import type { LogLevel } from '../core/model/ports.ts';
import { parse } from '../core/model/schema.ts';
import { type Static, type TSchema, Type } from '../core/model/type.ts';
import { ROLES, type Role } from '../core/skull/operations/operation.ts';

export interface ApiKey {
  role: Role;
  key: string;
}

/** What the process was told at its start, checked and with every default filled in. */
export interface Environment {
  readonly mode: 'dev' | 'production';
  /** Absolute; holds `config/ logs/ songs/ data/`, in production `flows/` too. */
  readonly home: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The external broker's URL without credentials; undefined: the embedded broker. */
  readonly mqttUrl?: string | undefined;
  readonly mqttUsername?: string | undefined;
  readonly mqttPassword?: string | undefined;
  /** Where the embedded broker listens; port 0: any free port. */
  readonly mqttHost: string;
  readonly mqttPort: number;
  readonly simulator: boolean;
  readonly serviceManager: ManagerChoice;
  readonly apiKeys: readonly ApiKey[];
  readonly requireApiKey: boolean;
  /** Whether `X-Role` may lower a key's role. */
  readonly rbac: boolean;
  readonly allowedOrigins: readonly string[];
  /** Absolute; one JSON file per editor tab. */
  readonly flowsDir: string;
  readonly editor: boolean;
  readonly editorPasswordHash?: string | undefined;
  readonly logLevel: LogLevel;
  readonly metricsEnabled: boolean;
  /** Absolute; the SQLite file of the event log. */
  readonly databaseFile: string;
  /** PostgreSQL's URL, of no use yet. */
  readonly postgresUrl?: string | undefined;
  readonly eventLogMaxMb: number;
  /** Where errors are told; undefined: nowhere. */
  readonly sentry?: { dsn: string; environment: string; release: string } | undefined;
}

/** Installed as a dependency, our own folder is not the user's to edit. */
const IN_CLONE = !PACKAGE_ROOT.split(path.sep).includes('node_modules');

type Variables = Readonly<Record<string, string | undefined>>;

const ORIGIN = 'https?://[^\\s/,]+';
const KEY = '(viewer|editor|admin):[^\\s,:]+';
const port = (fallback: number) =>
  Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: fallback,
    description: 'a port from 1 to 65535, or 0 for a free one',
  });
const flag = (options: { default?: boolean } = {}) => Type.Boolean({ ...options, description: 'true or false' });
const text = (description: string) => Type.String({ description });
const secret = (description: string, pattern = '^\\S+$') => Type.String({ description, pattern, writeOnly: true });
const url = (pattern: string, description: string) => Type.Optional(Type.String({ pattern, description }));
/** With a public key, an old-fashioned secret one where need be, and the number of the project. */
const SENTRY_DSN = '^https?://\\w+(:\\w*)?@[^\\s/@]+/(\\S+/)?\\d+$';
const HTTP_URL = '^https?://[^\\s/]+';
const list = (item: string) => `^\\s*${item}(\\s*,\\s*${item})*\\s*$`;

/** Each variable's description completes the sentence “… may be”. What is `writeOnly` is never printed. */
const Schema = Type.Object({
  ENV: Type.Union([Type.Literal('dev'), Type.Literal('production')], {
    default: 'dev',
    description: 'dev or production',
  }),
  SKULL_HOME: Type.Optional(text('a folder')),
  HOST: Type.Optional(Type.String({ pattern: '^[^\\s/]+$', description: 'an address to listen on, as 127.0.0.1' })),
  PORT: port(8080),
  MQTT_URL: Type.Optional(
    Type.String({ pattern: '^mqtts?://[^\\s/]+', description: "a broker's URL, mqtt://… or mqtts://…" }),
  ),
  MQTT_USERNAME: Type.Optional(text('a user name')),
  MQTT_PASSWORD: Type.Optional(Type.String({ description: 'a password', writeOnly: true })),
  MQTT_HOST: Type.String({ pattern: '^[^\\s/]+$', default: '127.0.0.1', description: 'an address to listen on' }),
  MQTT_PORT: port(1883),
  SIMULATOR: Type.Optional(flag()),
  SERVICE_MANAGER: Type.Enum(['auto', 'systemd', 'simulated', 'none'], {
    default: 'auto',
    description: 'auto, systemd, simulated or none',
  }),
  API_KEY: Type.Optional(secret('a key without blanks')),
  API_KEYS: Type.Optional(secret('role:key,role:key with role viewer, editor or admin', list(KEY))),
  REQUIRE_API_KEY: Type.Optional(flag()),
  FEATURE_RBAC: flag({ default: true }),
  ALLOWED_ORIGINS: Type.String({
    pattern: list(ORIGIN),
    default: 'http://localhost:3000,http://localhost:5173',
    description: 'origins such as http://localhost:3000, separated by commas',
  }),
  FLOWS_DIR: Type.Optional(text('a folder')),
  EDITOR: Type.Optional(flag()),
  EDITOR_PASSWORD_HASH: Type.Optional(secret('a bcrypt hash ($2b$…)', '^\\$2[aby]\\$\\d\\d\\$[./A-Za-z0-9]{53}$')),
  LOG_LEVEL: Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
    default: 'info',
    description: 'debug, info, warn or error',
  }),
  METRICS_ENABLED: flag({ default: true }),
  SENTRY_DSN: Type.Optional(secret("Sentry's https://<key>@<host>/<project>", SENTRY_DSN)),
  SENTRY_ENV: Type.Optional(text('a name')),
  RELEASE: Type.Optional(text('a name')),
  DATABASE_URL: url(
    '^(sqlite:(//)?[^\\n:]*[^\\n/:]|(postgres|postgresql(\\+(asyncpg|psycopg))?)://\\S+)$',
    "a database's URL, sqlite:<file>, postgres://…, postgresql://…, postgresql+asyncpg://… or postgresql+psycopg://…",
  ),
  EVENT_LOG_MAX_MB: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 50,
    description: 'whole megabytes from 1 to 100000',
  }),
  // Of no use yet to what runs here; a slip in them is told all the same.
  LLM_DEFAULT_PROVIDER: Type.Optional(
    Type.Enum(['demo', 'openai', 'anthropic', 'ollama', 'openai-compatible'], {
      description: 'demo, openai, anthropic, ollama or openai-compatible',
    }),
  ),
  LLM_DEFAULT_MODEL: Type.Optional(text('a name')),
  OPENAI_API_KEY: Type.Optional(secret('a key without blanks')),
  OPENAI_BASE_URL: url(HTTP_URL, 'an http:// or https:// URL'),
  ANTHROPIC_API_KEY: Type.Optional(secret('a key without blanks')),
  OLLAMA_URL: url(HTTP_URL, 'an http:// or https:// URL'),
  FEEDBACK_CRITICAL_THRESHOLD: Type.Optional(
    Type.Number({ minimum: 0, maximum: 100, description: 'a number from 0 to 100' }),
  ),
  FEEDBACK_REVIEW_TIMEOUT_MS: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'milliseconds, at most a day (86400000)' }),
  ),
  AGENT_HUB_URL: url(HTTP_URL, 'an http:// or https:// URL'),
});
type Name = keyof (typeof Schema)['properties'];

/** The variables that mean something to us. */
export const VARIABLES: readonly string[] = Object.keys(Schema.properties);

/** What the schema says of a variable beside its type. */
const about = (name: Name): { description?: string; writeOnly?: boolean } => {
  const schema: TSchema & { description?: string; writeOnly?: boolean } = Schema.properties[name];
  return schema;
};

function refuse(name: Name, value: string | undefined, mayBe = about(name).description ?? ''): never {
  const shown = value === undefined ? '' : about(name).writeOnly ? '=***' : `=${hideCredentials(value)}`;
  throw new SkullError('invalid', `${name}${shown} is not allowed: it may be ${mayBe}.`, {
    issues: [{ path: `/${name}`, message: `may be ${mayBe}` }],
  });
}

const hideCredentials = (value: string): string => value.replace(/^(\w[\w+.-]*:\/*)?.*@/, '$1***@');

/** The variables of our schema that have a value; `NAME=` means unset. */
function pick(variables: Variables): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = variables[name]?.trim();
    if (value) picked[name] = value;
  }
  return picked;
}

function check(variables: Variables): Static<typeof Schema> {
  const given = pick(variables);
  try {
    return parse(Schema, { ...given }, { coerce: true });
  } catch (error) {
    if (!(error instanceof SkullError)) throw error;
    const name = error.issues[0]?.path.split('/')[1] as Name;
    return refuse(name, given[name]);
  }
}

const split = (value: string | undefined): string[] => value?.split(',').map((part) => part.trim()) ?? [];

function apiKeys(values: Static<typeof Schema>): ApiKey[] {
  const further = split(values.API_KEYS).map((pair): ApiKey => {
    const [role, key = ''] = pair.split(':');
    return { role: ROLES.find((known) => known === role) ?? 'viewer', key };
  });
  return values.API_KEY === undefined ? further : [{ role: 'admin', key: values.API_KEY }, ...further];
}

interface Login {
  mqttUrl?: string;
  mqttUsername?: string | undefined;
  mqttPassword?: string | undefined;
}

/** The embedded broker asks for a login where there is one; it needs one where others than ourselves can reach it. */
function refuseHalfLogin({
  MQTT_USERNAME: username,
  MQTT_PASSWORD: password,
  MQTT_HOST: host,
}: Static<typeof Schema>): void {
  if (username !== undefined && password === undefined) {
    refuse('MQTT_USERNAME', username, 'set only together with MQTT_PASSWORD');
  }
  if (username === undefined && password !== undefined) {
    refuse('MQTT_PASSWORD', password, 'set only together with MQTT_USERNAME');
  }
  if (username === undefined && !isLoopback(host)) {
    refuse(
      'MQTT_HOST',
      host,
      'a loopback address such as 127.0.0.1 as long as no MQTT_USERNAME and MQTT_PASSWORD are set',
    );
  }
}

function brokerLogin(values: Static<typeof Schema>): Login {
  const own = { mqttUsername: values.MQTT_USERNAME, mqttPassword: values.MQTT_PASSWORD };
  if (values.MQTT_URL === undefined) {
    refuseHalfLogin(values);
    return own;
  }
  const url = URL.parse(values.MQTT_URL);
  if (url === null) return refuse('MQTT_URL', values.MQTT_URL);
  const decoded = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse('MQTT_URL', values.MQTT_URL, 'one whose login is percent-encoded: a % itself is %25');
    }
  };
  const login = {
    mqttUsername: url.username === '' ? own.mqttUsername : decoded(url.username),
    mqttPassword: url.password === '' ? own.mqttPassword : decoded(url.password),
  };
  url.username = '';
  url.password = '';
  return { mqttUrl: url.href, ...login };
}

/** `sqlite:<file>`, also with the two slashes of a URL: `sqlite:///srv/skull.db` is absolute. */
function databaseOf({ DATABASE_URL: url }: Static<typeof Schema>, home: string, folder: string) {
  const file = /^sqlite:(?:\/\/)?(.+)$/.exec(url ?? '')?.[1];
  return {
    databaseFile: file === undefined ? path.join(home, 'data/orchestrator.db') : path.resolve(folder, file),
    ...(url !== undefined && file === undefined && { postgresUrl: url }),
  };
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);

/**
 * Checks the variables and fills in the defaults; variables of no concern to us pass. Throws a SkullError `invalid`
 * whose message is one line that names the variable, its value (unless secret) and what it may be.
 */
export function readEnvironment(variables: Variables, folder = process.cwd()): Environment {
  const values = check(variables);
  const dev = values.ENV === 'dev';
  const keys = apiKeys(values);
  const host = values.HOST ?? (values.API_KEY === undefined ? '127.0.0.1' : '0.0.0.0');
  if (!isLoopback(host) && keys.length === 0) {
    refuse('HOST', host, 'a loopback address such as 127.0.0.1 as long as no API_KEY is set');
  }
  const editor = values.EDITOR ?? dev;
  if (editor && !dev && values.EDITOR_PASSWORD_HASH === undefined) {
    refuse('EDITOR', 'true', 'true in production only together with EDITOR_PASSWORD_HASH');
  }
  const home = path.resolve(folder, values.SKULL_HOME ?? (dev ? '.skull' : '/opt/Skull'));
  const flows = path.join(dev && IN_CLONE ? PACKAGE_ROOT : home, 'flows');
  return {
    mode: values.ENV,
    home,
    host,
    port: values.PORT,
    ...brokerLogin(values),
    mqttHost: values.MQTT_HOST,
    mqttPort: values.MQTT_PORT,
    simulator: values.SIMULATOR ?? (dev && values.MQTT_URL === undefined),
    serviceManager: values.SERVICE_MANAGER,
    apiKeys: keys,
    requireApiKey: values.REQUIRE_API_KEY ?? (!dev || keys.length > 0),
    rbac: values.FEATURE_RBAC,
    allowedOrigins: split(values.ALLOWED_ORIGINS),
    flowsDir: values.FLOWS_DIR === undefined ? flows : path.resolve(folder, values.FLOWS_DIR),
    editor,
    editorPasswordHash: values.EDITOR_PASSWORD_HASH,
    logLevel: values.LOG_LEVEL,
    metricsEnabled: values.METRICS_ENABLED,
    ...databaseOf(values, home, folder),
    eventLogMaxMb: values.EVENT_LOG_MAX_MB,
    ...(values.SENTRY_DSN !== undefined && {
      sentry: {
        dsn: values.SENTRY_DSN,
        environment: values.SENTRY_ENV ?? values.ENV,
        release: values.RELEASE ?? VERSION,
      },
    }),
  };
}

/** The process's environment, and under it a file: the `.env` of the working directory. */
export function loadEnvironment(place = '.env'): Environment {
  let file: Variables = {};
  try {
    file = parseEnv(readFileSync(place, 'utf8'));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return readEnvironment({ ...file, ...withoutTextEditor(process.env) });
}

/** Shells and npm keep the name of a text editor in EDITOR, which is none of ours. */
function withoutTextEditor({ EDITOR, ...rest }: Variables): Variables {
  return EDITOR === 'true' || EDITOR === 'false' ? { ...rest, EDITOR } : rest;
}
