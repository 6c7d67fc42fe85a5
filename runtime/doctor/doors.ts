import { once } from 'node:events';
import { createServer } from 'node:net';
import { connectMqtt } from '../../adapters/broker/mqtt-link.ts';
import { messageOf } from '../../core/model/errors.ts';
import type { BrokerLink, Log } from '../../core/model/ports.ts';
import type { Environment } from '../env.ts';
import { type Finding, findings } from './finding.ts';

const PATIENCE_MS = 3000;
const SHORTEST_KEY = 16;

/** Why nobody can listen there now; undefined where one can. */
async function listenFault(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
  } finally {
    server.close();
  }
}

interface Health {
  service?: unknown;
  version?: unknown;
  status?: unknown;
  problems?: unknown;
}

/** What answers at the port, where that is an orchestrator. */
async function runningOne({ host, port }: Environment): Promise<Health | undefined> {
  const at = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${at}:${port}/health`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const health: unknown = await response.json();
    if (typeof health === 'object' && health !== null && 'service' in health && health.service === 'orchestrator') {
      return health;
    }
  } catch {
    // Whatever it is, it is not ours.
  }
  return undefined;
}

/** Where HTTP listens, and how the orchestrator is that runs there. `runs`: whether one does. */
export async function checkPort(env: Environment): Promise<{ runs: boolean; found: Finding[] }> {
  const { ok, warn, fail } = findings('port');
  const { host, port } = env;
  const fault = await listenFault(host, port);
  if (fault === undefined)
    return { runs: false, found: [ok(`${host}:${port} is free: the orchestrator is not running`)] };
  if (fault !== 'EADDRINUSE') {
    return { runs: false, found: [fail(`HOST=${host} PORT=${port} cannot be used (${fault})`, 'set HOST or PORT')] };
  }
  const health = await runningOne(env);
  if (health === undefined) {
    return {
      runs: false,
      found: [fail(`PORT=${port} is taken by another program`, 'stop that one, or set PORT to a free port')],
    };
  }
  const detail = `version ${health.version} answers at ${host}:${port} and is ${health.status}`;
  const problems = Array.isArray(health.problems) ? health.problems.join(' ') : '';
  return {
    runs: true,
    found: [
      health.status === 'healthy' ? ok(detail) : warn(`${detail} ${problems}`.trim(), 'see GET /health and the log'),
    ],
  };
}

/** Why the broker does not let us in; undefined where it does. */
async function brokerFault({ mqttUsername: username, mqttPassword: password }: Environment, url: string) {
  let link: BrokerLink | undefined;
  let timer: NodeJS.Timeout | undefined;
  const fault = await new Promise<string | undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, `no answer within ${PATIENCE_MS / 1000} s`);
    const note: Log['warn'] = ({ msg, reason = msg }) => resolve(String(reason));
    link = connectMqtt({ url, username, password, log: { debug: () => {}, info: () => {}, warn: note, error: note } });
    link.onConnection((connected) => connected && resolve(undefined));
  });
  clearTimeout(timer);
  await link?.close();
  return fault;
}

export async function checkBroker(env: Environment, runs: boolean): Promise<Finding[]> {
  const { ok, fail } = findings('broker');
  const { mqttUrl: url, mqttHost: host, mqttPort: port } = env;
  if (url !== undefined) {
    const fault = await brokerFault(env, url);
    if (fault === undefined) return [ok(`${url} lets us in`)];
    return [fail(`${url}: ${fault}`, 'start that broker, or correct MQTT_URL, MQTT_USERNAME and MQTT_PASSWORD')];
  }
  if (runs) {
    const fault = await brokerFault(env, `mqtt://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`);
    if (fault === undefined) return [ok(`the embedded broker answers at ${host}:${port}`)];
    return [fail(`the embedded broker at ${host}:${port}: ${fault}`, 'see the log')];
  }
  const fault = await listenFault(host, port);
  if (fault === undefined) return [ok(`${host}:${port} is free for the embedded broker`)];
  return [
    fail(
      `MQTT_HOST=${host} MQTT_PORT=${port} cannot be used (${fault})`,
      fault === 'EADDRINUSE'
        ? `if that is your broker, set MQTT_URL=mqtt://127.0.0.1:${port}; else set MQTT_PORT to a free port`
        : 'set MQTT_HOST or MQTT_PORT',
    ),
  ];
}

/** Whether the doors are shut to whom they should be. */
export function checkAccess({ mode, apiKeys, requireApiKey, host, editor }: Environment): Finding[] {
  const { ok, warn, fail } = findings('access');
  const found: Finding[] = [];
  if (requireApiKey && apiKeys.length === 0) {
    found.push(fail('an API key is required, and there is none: every request is refused', 'set API_KEY'));
  }
  if (!requireApiKey && apiKeys.length > 0) {
    found.push(warn('there are API keys, but none is asked for', 'remove REQUIRE_API_KEY=false'));
  }
  const short = apiKeys.filter(({ key }) => key.length < SHORTEST_KEY).map(({ role }) => role);
  if (short.length > 0) {
    found.push(
      warn(`short API keys can be guessed (${short.join(', ')})`, 'make long ones, as openssl rand -hex 24 does'),
    );
  }
  if (editor && mode === 'production') {
    found.push(
      warn(
        `the editor is open at ${host}: who has its password can run any code`,
        'set EDITOR=false when you are done',
      ),
    );
  }
  return found.length > 0
    ? found
    : [ok(requireApiKey ? 'requests need an API key' : `open to whoever reaches ${host}`)];
}
