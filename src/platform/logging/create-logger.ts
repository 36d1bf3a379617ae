import pino, { type DestinationStream, type Logger as Pino } from 'pino';

import type { AppConfig } from '../config/app.config.js';
import { knownSecrets, MIN_SECRET_LENGTH } from './known-secrets.js';
import { currentLogFields } from './log-fields.js';

const CENSOR = '[redacted]';
const SECRET_HEADERS = ['authorization', 'cookie', 'x-api-key'];
/** Keys of ours and of model providers, wherever they stand in a line. */
const KEY_FORMS = /\b(?:ens_|sk-)[A-Za-z0-9_-]{16,}/g;

/**
 * A logger that writes one JSON object a line, with the fields of the work under way. The secrets of the
 * configuration, and those that agents use, never reach the output, whatever text they stand in.
 *
 * @param destination standard output when absent
 */
export function createLogger(config: AppConfig, destination?: DestinationStream): Pino {
  const censor = censorOf(secretsOf(config));
  const options: pino.LoggerOptions = {
    level: config.logging.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => ({ ...currentLogFields() }),
    redact: { paths: redactedPaths(), censor: CENSOR },
    hooks: { streamWrite: censor },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function redactedPaths(): string[] {
  return SECRET_HEADERS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]);
}

function secretsOf({ providers, security, storage }: AppConfig): readonly string[] {
  const urls = [storage.databaseUrl, storage.redisUrl].map((url) =>
    url === undefined ? '' : new URL(url).password,
  );
  const { anthropicApiKey, openaiCompatibleApiKey } = providers;
  const { adminKey, secretsKey } = security;
  return [anthropicApiKey, openaiCompatibleApiKey, adminKey, secretsKey, ...urls].filter(
    (secret) => secret !== undefined && secret.length >= MIN_SECRET_LENGTH,
  ) as string[];
}

/** Replaces secrets in a finished line. A secret may stand there as JSON escapes it. */
function censorOf(secrets: readonly string[]): (line: string) => string {
  const forms = secrets.map(asInJson);
  return (line) =>
    [...forms, ...Iterator.from(knownSecrets()).map(asInJson)]
      .reduce((text, form) => text.replaceAll(form, CENSOR), line)
      .replace(KEY_FORMS, CENSOR);
}

function asInJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
