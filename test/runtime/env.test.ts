import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT, VERSION } from '../../adapters/files/package-root.ts';
import { SkullError } from '../../core/model/errors.ts';
import { readEnvironment, VARIABLES } from '../../runtime/env.ts';

const HASH = `$2b$08$${'a'.repeat(53)}`;

function refusal(variables: Record<string, string>): string {
  try {
    readEnvironment(variables, '/srv');
  } catch (error) {
    assert.ok(error instanceof SkullError);
    assert.equal(error.code, 'invalid');
    return error.message;
  }
  return assert.fail('accepted');
}

describe('the environment', () => {
  it('has the defaults of development', () => {
    assert.deepEqual(readEnvironment({}, '/srv'), {
      mode: 'dev',
      home: '/srv/.skull',
      host: '127.0.0.1',
      port: 8080,
      mqttUsername: undefined,
      mqttPassword: undefined,
      mqttHost: '127.0.0.1',
      mqttPort: 1883,
      simulator: true,
      serviceManager: 'auto',
      apiKeys: [],
      requireApiKey: false,
      rbac: true,
      allowedOrigins: ['http://localhost:3000', 'http://localhost:5173'],
      flowsDir: path.join(PACKAGE_ROOT, 'flows'),
      editor: true,
      editorPasswordHash: undefined,
      logLevel: 'info',
      metricsEnabled: true,
      databaseFile: '/srv/.skull/data/orchestrator.db',
      eventLogMaxMb: 50,
    });
  });

  it('has the defaults of production', () => {
    const env = readEnvironment({ ENV: 'production' }, '/srv');
    assert.equal(env.home, '/opt/Skull');
    assert.equal(env.flowsDir, '/opt/Skull/flows');
    assert.equal(env.simulator, false);
    assert.equal(env.editor, false);
    assert.equal(env.requireApiKey, true);
  });

  it('listens everywhere and wants the key once there is one', () => {
    const env = readEnvironment({ API_KEY: 'secret', API_KEYS: 'viewer:looks, editor:writes' }, '/srv');
    assert.equal(env.host, '0.0.0.0');
    assert.equal(env.requireApiKey, true);
    assert.deepEqual(env.apiKeys, [
      { role: 'admin', key: 'secret' },
      { role: 'viewer', key: 'looks' },
      { role: 'editor', key: 'writes' },
    ]);
    assert.equal(readEnvironment({ API_KEY: 'secret', HOST: '127.0.0.1' }, '/srv').host, '127.0.0.1');
  });

  it('lets the embedded broker out of the machine only with a login, and asks for none of another broker', () => {
    const login = { MQTT_USERNAME: 'skull', MQTT_PASSWORD: 'hush' };
    assert.equal(readEnvironment({ MQTT_HOST: '::', ...login }, '/srv').mqttHost, '::');
    for (const MQTT_HOST of ['127.0.0.1', '127.8.8.8', 'localhost', '::1']) {
      assert.equal(readEnvironment({ MQTT_HOST }, '/srv').mqttPassword, undefined);
    }
    assert.equal(readEnvironment({ MQTT_URL: 'mqtt://broker', MQTT_HOST: '0.0.0.0' }, '/srv').mqttHost, '0.0.0.0');
    assert.equal(readEnvironment({ MQTT_URL: 'mqtt://broker', MQTT_USERNAME: 'me' }, '/srv').mqttUsername, 'me');
  });

  it('takes the login out of the broker URL and plays no services there', () => {
    const env = readEnvironment({ MQTT_URL: 'mqtt://me:p%40ss@broker:1884', MQTT_USERNAME: 'other' }, '/srv');
    assert.equal(env.mqttUrl, 'mqtt://broker:1884');
    assert.equal(env.mqttUsername, 'me');
    assert.equal(env.mqttPassword, 'p@ss');
    assert.equal(env.simulator, false);
  });

  it('takes an empty variable for an unset one, and leaves alone what is not its own', () => {
    assert.equal(readEnvironment({ PORT: '', API_KEY: ' ', SENTRY_ENV: 'x' }, '/srv').port, 8080);
  });

  it('takes what the parts to come will need', () => {
    const others = {
      LLM_DEFAULT_PROVIDER: 'openai-compatible',
      LLM_DEFAULT_MODEL: 'some model',
      OPENAI_API_KEY: 'sk-1',
      OPENAI_BASE_URL: 'http://localhost:8000/v1',
      ANTHROPIC_API_KEY: 'sk-2',
      OLLAMA_URL: 'http://localhost:11434',
      FEEDBACK_CRITICAL_THRESHOLD: '62.5',
      FEEDBACK_REVIEW_TIMEOUT_MS: '3500',
      AGENT_HUB_URL: 'https://hub.example/api',
    };
    assert.deepEqual(readEnvironment(others, '/srv'), readEnvironment({}, '/srv'));
  });

  it('keeps events in a file, which PostgreSQL does not take the place of', () => {
    for (const [DATABASE_URL, file] of [
      ['sqlite:/var/some where/skull.db', '/var/some where/skull.db'],
      ['sqlite:///var/skull.db', '/var/skull.db'],
      ['sqlite:skull.db', '/srv/skull.db'],
      ['sqlite:./../skull.db', '/skull.db'],
      ['sqlite://data/skull.db', '/srv/data/skull.db'],
    ] as const) {
      const { databaseFile, postgresUrl } = readEnvironment({ DATABASE_URL }, '/srv');
      assert.deepEqual([databaseFile, postgresUrl], [file, undefined]);
    }
    for (const DATABASE_URL of [
      'postgres://me:hush@db:5432/skull',
      'postgresql://db/skull',
      'postgresql+asyncpg://me@db/skull',
      'postgresql+psycopg://me@db/skull?sslmode=require',
    ]) {
      const { databaseFile, postgresUrl } = readEnvironment({ DATABASE_URL, SKULL_HOME: 'here' }, '/srv');
      assert.deepEqual([databaseFile, postgresUrl], ['/srv/here/data/orchestrator.db', DATABASE_URL]);
    }
    assert.equal(readEnvironment({ EVENT_LOG_MAX_MB: '1' }, '/srv').eventLogMaxMb, 1);
  });

  it('tells Sentry what runs where, unless it is told otherwise', () => {
    const SENTRY_DSN = 'https://abc@o1.ingest.sentry.io/42';
    assert.deepEqual(readEnvironment({ SENTRY_DSN, ENV: 'production' }, '/srv').sentry, {
      dsn: SENTRY_DSN,
      environment: 'production',
      release: VERSION,
    });
    const { sentry } = readEnvironment({ SENTRY_DSN, SENTRY_ENV: 'home', RELEASE: '1.0' }, '/srv');
    assert.deepEqual(sentry, { dsn: SENTRY_DSN, environment: 'home', release: '1.0' });
  });

  it('resolves folders', () => {
    const env = readEnvironment({ SKULL_HOME: 'here', FLOWS_DIR: '../tabs' }, '/srv');
    assert.equal(env.home, '/srv/here');
    assert.equal(env.flowsDir, '/tabs');
  });

  for (const [variables, line] of [
    [{ PORT: 'http' }, 'PORT=http is not allowed: it may be a port from 1 to 65535, or 0 for a free one.'],
    [{ PORT: '65536' }, 'PORT=65536 is not allowed: it may be a port from 1 to 65535, or 0 for a free one.'],
    [{ ENV: 'prod' }, 'ENV=prod is not allowed: it may be dev or production.'],
    [{ SIMULATOR: 'yes' }, 'SIMULATOR=yes is not allowed: it may be true or false.'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL=loud is not allowed: it may be debug, info, warn or error.'],
    [
      { HOST: '0.0.0.0' },
      'HOST=0.0.0.0 is not allowed: it may be a loopback address such as 127.0.0.1 as long as no API_KEY is set.',
    ],
    [
      { MQTT_URL: 'http://me:hush@broker' },
      "MQTT_URL=http://***@broker is not allowed: it may be a broker's URL, mqtt://… or mqtts://….",
    ],
    [
      { API_KEYS: 'owner:hush' },
      'API_KEYS=*** is not allowed: it may be role:key,role:key with role viewer, editor or admin.',
    ],
    [{ EDITOR_PASSWORD_HASH: 'hush' }, 'EDITOR_PASSWORD_HASH=*** is not allowed: it may be a bcrypt hash ($2b$…).'],
    [
      { MQTT_URL: 'mqtt://a%zz:hush@h' },
      'MQTT_URL=mqtt://***@h is not allowed: it may be one whose login is percent-encoded: a % itself is %25.',
    ],
    [
      { MQTT_URL: 'http://me:hu@sh@broker' },
      "MQTT_URL=http://***@broker is not allowed: it may be a broker's URL, mqtt://… or mqtts://….",
    ],
    [
      { MQTT_HOST: '0.0.0.0' },
      'MQTT_HOST=0.0.0.0 is not allowed: it may be a loopback address such as 127.0.0.1 as long as no MQTT_USERNAME and MQTT_PASSWORD are set.',
    ],
    [
      { MQTT_HOST: '0.0.0.0', MQTT_USERNAME: 'skull' },
      'MQTT_USERNAME=skull is not allowed: it may be set only together with MQTT_PASSWORD.',
    ],
    [{ MQTT_PASSWORD: 'hush' }, 'MQTT_PASSWORD=*** is not allowed: it may be set only together with MQTT_USERNAME.'],
    [{ PORT: '0x50' }, 'PORT=0x50 is not allowed: it may be a port from 1 to 65535, or 0 for a free one.'],
    [{ SERVICE_MANAGER: 'bogus' }, 'SERVICE_MANAGER=bogus is not allowed: it may be auto, systemd, simulated or none.'],
    [
      { DATABASE_URL: 'oracle://me:hush@x' },
      "DATABASE_URL=oracle://***@x is not allowed: it may be a database's URL, sqlite:<file>, postgres://…, postgresql://…, postgresql+asyncpg://… or postgresql+psycopg://….",
    ],
    [{ METRICS_ENABLED: 'maybe' }, 'METRICS_ENABLED=maybe is not allowed: it may be true or false.'],
    ...['sqlite:', 'sqlite://', 'sqlite::memory:', 'sqlite:folder/'].map(
      (DATABASE_URL) =>
        [
          { DATABASE_URL },
          `DATABASE_URL=${DATABASE_URL} is not allowed: it may be a database's URL, sqlite:<file>, postgres://…, postgresql://…, postgresql+asyncpg://… or postgresql+psycopg://….`,
        ] as const,
    ),
    ...['0', '1.5', '100001', 'much'].map(
      (EVENT_LOG_MAX_MB) =>
        [
          { EVENT_LOG_MAX_MB },
          `EVENT_LOG_MAX_MB=${EVENT_LOG_MAX_MB} is not allowed: it may be whole megabytes from 1 to 100000.`,
        ] as const,
    ),
    [{ SENTRY_DSN: 'hush' }, "SENTRY_DSN=*** is not allowed: it may be Sentry's https://<key>@<host>/<project>."],
    [
      { LLM_DEFAULT_PROVIDER: 'oracle' },
      'LLM_DEFAULT_PROVIDER=oracle is not allowed: it may be demo, openai, anthropic, ollama or openai-compatible.',
    ],
    [{ OPENAI_API_KEY: 'hu sh' }, 'OPENAI_API_KEY=*** is not allowed: it may be a key without blanks.'],
    [{ ANTHROPIC_API_KEY: 'hu sh' }, 'ANTHROPIC_API_KEY=*** is not allowed: it may be a key without blanks.'],
    [{ OPENAI_BASE_URL: 'here' }, 'OPENAI_BASE_URL=here is not allowed: it may be an http:// or https:// URL.'],
    [{ OLLAMA_URL: 'ftp://x' }, 'OLLAMA_URL=ftp://x is not allowed: it may be an http:// or https:// URL.'],
    [{ AGENT_HUB_URL: 'hub' }, 'AGENT_HUB_URL=hub is not allowed: it may be an http:// or https:// URL.'],
    [
      { FEEDBACK_CRITICAL_THRESHOLD: 'abc' },
      'FEEDBACK_CRITICAL_THRESHOLD=abc is not allowed: it may be a number from 0 to 100.',
    ],
    [
      { FEEDBACK_REVIEW_TIMEOUT_MS: '-1' },
      'FEEDBACK_REVIEW_TIMEOUT_MS=-1 is not allowed: it may be milliseconds, at most a day (86400000).',
    ],
    [
      { ENV: 'production', EDITOR: 'true' },
      'EDITOR=true is not allowed: it may be true in production only together with EDITOR_PASSWORD_HASH.',
    ],
  ] as const) {
    it(`refuses ${Object.entries(variables).flat().join(' ')} in one line`, () => {
      assert.equal(refusal(variables), line);
    });
  }

  it('has the editor in production behind its password', () => {
    const env = readEnvironment({ ENV: 'production', EDITOR: 'true', EDITOR_PASSWORD_HASH: HASH }, '/srv');
    assert.equal(env.editor, true);
    assert.equal(env.editorPasswordHash, HASH);
  });

  it('is listed in .env.example, where nothing is set', () => {
    const lines = readFileSync(path.join(PACKAGE_ROOT, '.env.example'), 'utf8').split('\n');
    const listed = lines.map((line) => /^#([A-Z_]+)=/.exec(line)?.[1]);
    assert.deepEqual(
      VARIABLES.filter((name) => !listed.includes(name)),
      [],
    );
    assert.deepEqual(
      lines.filter((line) => line !== '' && !line.startsWith('#')),
      [],
    );
  });
});
