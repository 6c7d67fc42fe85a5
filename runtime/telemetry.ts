import path from 'node:path';
import { systemClock } from '../adapters/system.ts';
import { type FileLog, openLog } from '../adapters/telemetry/log.ts';
import type { Metrics } from '../core/model/metrics.ts';
import type { Environment } from './env.ts';

/** What the host tells of itself. What nobody wants is not loaded. */

const isGiven = (secret: string | undefined): secret is string => secret !== undefined;

/** The log, of which Sentry is told where there is one. */
export async function openHostLog(env: Environment): Promise<FileLog> {
  const { home, logLevel, apiKeys, mqttPassword, sentry } = env;
  const secrets = [...apiKeys.map(({ key }) => key), mqttPassword, sentry?.dsn].filter(isGiven);
  const log = openLog({ folder: path.join(home, 'logs'), level: logLevel, terminal: process.stdout, secrets });
  if (sentry === undefined) return log;
  const { withSentry } = await import('../adapters/telemetry/sentry.ts');
  return withSentry(log, { ...sentry, secrets, clock: systemClock });
}

/** The metrics; undefined where they are switched off. */
export async function openHostMetrics({ metricsEnabled }: Environment): Promise<Metrics | undefined> {
  if (!metricsEnabled) return undefined;
  const { openMetrics } = await import('../adapters/telemetry/metrics.ts');
  return openMetrics();
}
