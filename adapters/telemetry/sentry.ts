import {
  type BaseTransportOptions,
  createStackParser,
  createTransport,
  linkedErrorsIntegration,
  Scope,
  type Transport,
} from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import { messageOf } from '../../core/model/errors.ts';
import type { Clock, Log, LogEntry } from '../../core/model/ports.ts';
import type { FileLog } from './log.ts';
import { redactor } from './redact.ts';

export interface SentryOptions {
  dsn: string;
  environment: string;
  release: string;
  /** Values that Sentry may not see. */
  secrets: readonly string[];
  clock: Pick<Clock, 'elapsed'>;
}

/** So many errors are told in a minute; one that comes again and again says no more for being told again. */
const MOST_A_MINUTE = 30;
const MINUTE_MS = 60_000;
/** So long may Sentry take for one error, and for all that are on their way when the log is closed. */
const ANSWER_MS = 10_000;
const CLOSE_MS = 2000;
/** What errors are found by; all other fields of a line are to be read with them. */
const TAGS: ReadonlySet<string> = new Set(['kind', 'request_id', 'operation', 'method', 'status', 'node', 'type']);

/** The log, of which Sentry is told every error as well. It never waits for Sentry, but when it is closed, for 2 s at most. */
export function withSentry(log: FileLog, { secrets, clock, ...options }: SentryOptions): FileLog {
  const ending = new AbortController();
  const client = new ServerRuntimeClient({
    ...options,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    stackParser: createStackParser(nodeStackLineParser()),
    integrations: [linkedErrorsIntegration()],
    transport: transportTo(log, redactor(secrets), ending.signal),
    transportOptions: { bufferSize: MOST_A_MINUTE },
    attachStacktrace: false,
    sendClientReports: false,
    // Spans would be gathered otherwise, and there are none.
    traceLifecycle: 'static',
    dataCollection: { userInfo: false },
  });
  client.init();
  const isDue = atMostAMinute(clock);
  return {
    ...log,
    error(entry) {
      log.error(entry);
      if (!isDue()) return;
      try {
        tell(client, entry);
      } catch (error) {
        log.warn({ kind: 'system', msg: `Sentry cannot be told of an error: ${messageOf(error)}` });
      }
    },
    async close() {
      await client.close(CLOSE_MS);
      ending.abort();
      await log.close();
    },
  };
}

/** Whether one more may be told now. */
function atMostAMinute(clock: Pick<Clock, 'elapsed'>): () => boolean {
  let since = clock.elapsed();
  let count = 0;
  return () => {
    const now = clock.elapsed();
    if (now - since >= MINUTE_MS) {
      since = now;
      count = 0;
    }
    return ++count <= MOST_A_MINUTE;
  };
}

function tell(client: ServerRuntimeClient, entry: LogEntry): void {
  const scope = new Scope();
  let error: Error | undefined;
  for (const [name, value] of Object.entries(entry)) {
    if (value instanceof Error) error ??= value;
    else if (TAGS.has(name)) scope.setTag(name, String(value));
    else scope.setExtra(name, value);
  }
  if (error === undefined) client.captureMessage(entry.msg, 'error', undefined, scope);
  else client.captureException(error, { originalException: error }, scope);
}

/** Sends what it is given without secrets. The log says when Sentry takes nothing, once until it does again. */
function transportTo(
  log: Log,
  redacted: (value: object) => string,
  ending: AbortSignal,
): (options: BaseTransportOptions) => Transport {
  let isHeard = true;
  const hear = (problem: string | undefined) => {
    if (ending.aborted) return;
    if (problem !== undefined && isHeard) log.warn({ kind: 'system', msg: `Sentry is not told of errors: ${problem}` });
    isHeard = problem === undefined;
  };
  return (options) =>
    createTransport(options, async ({ body }) => {
      // An envelope is a JSON value a line.
      const lines = String(body).split('\n');
      try {
        const answer = await fetch(options.url, {
          method: 'POST',
          headers: { ...options.headers, 'content-type': 'application/x-sentry-envelope' },
          body: lines.map((line) => (line === '' ? '' : redacted(JSON.parse(line)))).join('\n'),
          signal: AbortSignal.any([ending, AbortSignal.timeout(ANSWER_MS)]),
        });
        await answer.arrayBuffer();
        hear(answer.ok || answer.status === 429 ? undefined : `it answers ${answer.status}.`);
        return {
          statusCode: answer.status,
          headers: {
            'x-sentry-rate-limits': answer.headers.get('x-sentry-rate-limits'),
            'retry-after': answer.headers.get('retry-after'),
          },
        };
      } catch (error) {
        hear(error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error));
        throw error;
      }
    });
}
