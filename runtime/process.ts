import { messageOf } from '../core/model/errors.ts';
import type { Log } from '../core/model/ports.ts';

/** A clean stop takes no longer; what is not done by then is left. */
const DEADLINE_MS = 4500;

export interface Running {
  /** Undefined while there is none yet. */
  readonly log: (Log & { flushSync(): void }) | undefined;
  stop(): Promise<void>;
}

/**
 * Ties something that runs to the life of the process: SIGTERM and SIGINT stop it and end the process with 0, a second
 * signal ends it at once; an error that nobody caught is logged, and stops it too, with 1.
 */
export function endWithProcess(running: Running): void {
  let stopping = false;

  const exit = (code: number): never => {
    running.log?.flushSync();
    process.exit(code);
  };
  const stop = (code: number): void => {
    stopping = true;
    setTimeout(() => {
      running.log?.error({ kind: 'system', msg: `The stop took longer than ${DEADLINE_MS} ms and was cut short.` });
      exit(1);
    }, DEADLINE_MS).unref();
    running.stop().then(
      () => exit(code),
      () => exit(1),
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) exit(1);
    running.log?.info({ kind: 'system', msg: `Stopping on ${signal}.` });
    stop(0);
  };
  const onError = (error: unknown): void => {
    const msg = `Uncaught: ${messageOf(error)}`;
    if (running.log === undefined) process.stderr.write(`${msg}\n`);
    running.log?.error({ kind: 'system', msg, error: error instanceof Error ? error : new Error(String(error)) });
    if (!stopping) stop(1);
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  // Whoever read our output may go; that is no reason to stop.
  process.stdout.on('error', () => {});
}
