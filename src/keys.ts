/** `npm run keys`: makes, lists and revokes API keys in the store that the configuration names. */
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppError } from './kernel/failure.js';
import { AuthModule } from './platform/auth/auth.module.js';
import { parseKeyCommand, runKeyCommand, USAGE, type KeyCommand } from './platform/auth/key-command.js';
import { KeyService } from './platform/auth/key.service.js';
import { Clock } from './platform/clock/clock.js';
import type { AppConfig } from './platform/config/app.config.js';
import { AppConfigModule } from './platform/config/config.module.js';
import { describeProblems, loadConfig } from './platform/config/load-config.js';
import { PlatformModule } from './platform/platform.module.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_CONFIG = 78;

@Module({})
class KeysRoot {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const command = parseKeyCommand(args);
  if (!command.ok) return complain(`${command.failure}\n\n${USAGE}`, EXIT_USAGE);
  const config = loadConfig();
  if (!config.ok) return complain(describeProblems(config.failure), EXIT_CONFIG);
  try {
    return await execute(command.value, config.value);
  } catch (error) {
    return complain(describe(error, config.value), EXIT_FAILED);
  }
}

async function execute(command: KeyCommand, config: AppConfig): Promise<number> {
  const context = await openStore(config);
  try {
    const result = await runKeyCommand(command, context.get(KeyService), context.get(Clock).now());
    if (!result.ok) return complain(result.failure, EXIT_FAILED);
    console.log(result.value);
    return 0;
  } finally {
    await context.close();
  }
}

async function openStore(config: AppConfig): Promise<INestApplicationContext> {
  // Loaded late: what is wrong with the arguments is told at once.
  const { storageOf } = await import('./app.module.js');
  const imports = [AppConfigModule.forRoot(config), PlatformModule, storageOf(config), AuthModule];
  return await NestFactory.createApplicationContext(
    { module: KeysRoot, imports },
    { logger: false, abortOnError: false },
  );
}

function complain(message: string, exitCode: number): number {
  console.error(message);
  return exitCode;
}

function describe(error: unknown, { storage }: AppConfig): string {
  if (AppError.is(error) && error.failure.code === 'store.locked') {
    return (
      `The server is running and holds ${storage.dataDir}. Stop it and try again, or start it with ADMIN_KEY set to a ` +
      'key of your choice: that key then works.'
    );
  }
  return AppError.is(error) ? error.message : String(error);
}
