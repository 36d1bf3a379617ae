/** What is printed for people when the service starts or cannot. */
import { AppError } from '../../kernel/failure.js';
import type { AppConfig } from '../config/app.config.js';

/** The line that says that the service serves. */
export function readyLine({ storage }: AppConfig, url: string): string {
  const store = storage.databaseUrl === undefined ? `SQLite in ${storage.dataDir}` : 'PostgreSQL';
  const hot = storage.redisUrl === undefined ? '' : ' and Redis';
  return `Ensemble is ready on ${url} (docs at /docs, store: ${store}${hot})`;
}

/** One clear sentence for what a person can mend; the stack for everything else. */
export function describeStartFailure(error: unknown, { server }: AppConfig): string {
  const place = `${server.host}:${server.port}`;
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `Ensemble cannot start: ${place} is in use by another program. Stop it, or set PORT.`;
    case 'EACCES':
      return `Ensemble cannot start: this user may not listen on ${place}. Set PORT to 1024 or more.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `Ensemble cannot start: ${server.host} is not an address of this machine. Set HOST.`;
    default:
      return `Ensemble cannot start: ${AppError.is(error) ? error.message : stackOf(error)}`;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
