import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

import type { Result } from '../../kernel/result.js';
import type { AppConfig } from './app.config.js';
import { parseConfig, type ConfigProblem, type Environment } from './config.schema.js';

/**
 * Reads the environment of the process, and `.env` in the working folder below it: a variable of the process wins.
 *
 * Read before Nest starts, because the logger and the HTTP server are made from it. Changes nothing in the process.
 */
export function loadConfig(): Result<AppConfig, readonly ConfigProblem[]> {
  return parseConfig({ ...readEnvFile('.env'), ...presentVariables() });
}

/** The list of problems as it is printed at start. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ variable, expectation }) => `  ${variable} must be ${expectation}`);
  return ['Ensemble cannot start, because the configuration is not valid:', ...lines].join('\n');
}

/** A variable that the process sets to nothing does not hide the one of the file. */
function presentVariables(): Environment {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
}

function readEnvFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isMissingFile(error)) return {};
    throw error;
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
