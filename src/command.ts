/**
 * Commands of `npm run` that work on the record: what they open, and how they end.
 *
 * Decided here: exit codes, and what is said when the record is not to be had. Decided elsewhere: what each command
 * does (keys.ts, rebuild-metrics.ts).
 */
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppError } from './kernel/failure.js';
import type { Result } from './kernel/result.js';
import type { AppConfig } from './platform/config/app.config.js';
import { AppConfigModule } from './platform/config/config.module.js';
import { describeProblems, loadConfig } from './platform/config/load-config.js';
import { PlatformModule } from './platform/platform.module.js';

const EXIT_FAILED = 1;
/** `EX_CONFIG` of sysexits.h. */
const EXIT_CONFIG = 78;

@Module({})
class CommandRoot {}

/** A command: what it needs beside the stores, what it does, and what to say when the service holds the record. */
export interface Command {
  readonly imports: readonly (DynamicModule | (new () => object))[];
  /** Does the work; answers what to print, or why nothing was done. */
  run(context: INestApplicationContext, config: AppConfig): Promise<Result<string, string>>;
  /** What whoever asked may do about it, in a sentence. */
  readonly whenLocked: string;
}

/** Carries a command out on the record that the configuration names. @returns the exit code */
export async function carryOut(command: Command): Promise<number> {
  const config = loadConfig();
  if (!config.ok) return complain(describeProblems(config.failure), EXIT_CONFIG);
  try {
    const result = await runOn(config.value, command);
    if (!result.ok) return complain(result.failure, EXIT_FAILED);
    console.log(result.value);
    return 0;
  } catch (error) {
    return complain(describe(error, config.value, command), EXIT_FAILED);
  }
}

/** Says what is wrong. @returns the exit code that it was given */
export function complain(message: string, exitCode: number): number {
  console.error(message);
  return exitCode;
}

async function runOn(config: AppConfig, command: Command): Promise<Result<string, string>> {
  // Loaded late: what is wrong with the configuration is told at once.
  const { storageForCommand } = await import('./app.module.js');
  const imports = [
    AppConfigModule.forRoot(config),
    PlatformModule,
    storageForCommand(config),
    ...command.imports,
  ];
  const context = await NestFactory.createApplicationContext(
    { module: CommandRoot, imports },
    { logger: false, abortOnError: false },
  );
  try {
    return await command.run(context, config);
  } finally {
    await context.close();
  }
}

function describe(error: unknown, { storage }: AppConfig, { whenLocked }: Command): string {
  if (AppError.is(error) && error.failure.code === 'store.locked')
    return `The server is running and holds ${storage.dataDir}. ${whenLocked}`;
  return AppError.is(error) ? error.message : String(error);
}
