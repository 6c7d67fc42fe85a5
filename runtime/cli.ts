#!/usr/bin/env -S node --max-semi-space-size=8 --max-old-space-size=256 --no-allocation-site-pretenuring
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../adapters/files/package-root.ts';
import { messageOf } from '../core/model/errors.ts';
import { makeFolder } from './folders.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 9)) {
  process.stderr.write(`Node.js 22.9 or newer is needed; this is ${process.version} (${process.execPath}).\n`);
  process.exit(1);
}

/** Keeps what V8 compiled, in the home folder: the next start need not compile it again. */
function cacheCompiledCode(): void {
  const variables = { ...(existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}), ...process.env };
  const home = variables.SKULL_HOME || (variables.ENV === 'production' ? '/opt/Skull' : '.skull');
  const cache = path.resolve(home, 'data/cache');
  try {
    makeFolder(cache);
  } catch {
    // Why it cannot be made, the start says with more words.
    return;
  }
  module.enableCompileCache(cache);
}

const program = new Command('skull')
  .description('The conductor of a talking animatronic skull. Settings come from the environment and .env.')
  .version(VERSION)
  .exitOverride();

program
  .command('start')
  .description('run the orchestrator until SIGTERM or SIGINT')
  .action(async () => {
    cacheCompiledCode();
    const { start } = await import('./commands/start.ts');
    await start();
  });

program
  .command('simulate')
  .description('play the six services at the broker that MQTT_URL, or MQTT_HOST and MQTT_PORT, name')
  .action(async () => {
    const { simulate } = await import('./commands/simulate.ts');
    await simulate();
  });

program
  .command('doctor')
  .description('check this installation, and say what to do where something is wrong')
  .option('--json', 'for a program: {ok, checks: [{check, result, detail, remedy}]}')
  .action(async (options: { json?: boolean }) => {
    const { doctor } = await import('./commands/doctor.ts');
    await doctor(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed what it had to say; what was asked for is no error, anything else is a mistake of usage.
    process.exit(error.exitCode === 0 ? 0 : 2);
  }
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
