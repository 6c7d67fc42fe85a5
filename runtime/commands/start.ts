import module from 'node:module';
import { VERSION } from '../../adapters/files/package-root.ts';
import { systemClock } from '../../adapters/system.ts';
import { Notifier } from '../../adapters/systemd/notify.ts';
import { messageOf } from '../../core/model/errors.ts';
import { loadEnvironment } from '../env.ts';
import { Host } from '../host.ts';
import { endWithProcess } from '../process.ts';

/** `skull start`: runs until a signal comes. Throws what a person should read when it cannot start. */
export async function start(): Promise<void> {
  const notifier = new Notifier({
    variables: process.env,
    clock: systemClock,
    complain: (msg) => void process.stderr.write(`${msg}\n`),
  });
  try {
    await run(notifier);
  } catch (error) {
    await notifier.failed(messageOf(error));
    throw error;
  }
}

async function run(notifier: Notifier): Promise<void> {
  const env = loadEnvironment();
  const host = new Host(env);
  endWithProcess({
    get log() {
      return host.log;
    },
    stop: async () => {
      await Promise.all([notifier.stopping(), host.stop()]);
    },
  });
  let addresses: Awaited<ReturnType<Host['start']>>;
  try {
    addresses = await host.start();
  } catch (error) {
    await host.stop();
    throw error;
  }
  const { http, mqtt } = addresses;
  const lines = [
    `Skull orchestrator ${VERSION}, ${env.mode}, in ${env.home}`,
    `  API         ${http}/status`,
    `  Swagger UI  ${http}/docs`,
    ...(env.editor ? [`  Editor      ${http}/editor`] : []),
    `  MQTT        ${mqtt}${env.mqttUrl === undefined ? ' (embedded broker)' : ''}`,
    ...(env.simulator ? ['  The six services are simulated (SIMULATOR=false turns that off).'] : []),
    `ready in ${Math.round(performance.now())} ms`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  host.log?.info({ kind: 'system', msg: 'Ready', version: VERSION, mode: env.mode, http, mqtt });
  if (env.requireApiKey && env.apiKeys.length === 0) {
    host.log?.warn({
      kind: 'system',
      msg: 'An API key is required, but API_KEY is not set: every request is refused.',
    });
  }
  await notifier.ready(`Ready: version ${VERSION}, ${http}, ${mqtt}`);
  // Node 22.9 cannot yet; there the cache is written at the end.
  module.flushCompileCache?.();
}
