import type { LoggerService } from '@nestjs/common';
import type { Logger as Pino } from 'pino';

/** Where Nest tells in many lines what it put together; interesting only when something is wrong with that. */
const QUIET = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/**
 * Routes Nest's loggers, ours among them, to pino. The last text after the message is the context, as Nest passes it.
 * A message that is an object gives its fields to the line, and `msg` its text.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly pino: Pino) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(QUIET.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  /** What keeps the application from starting is thrown as well, and told by main. */
  error(message: unknown, ...rest: unknown[]): void {
    this.write(rest.at(-1) === 'NestApplication' ? 'debug' : 'error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Level, message: unknown, rest: readonly unknown[]): void {
    if (!this.pino.isLevelEnabled(level)) return;
    this.pino[level]({ ...fieldsOf(message), ...contextOf(rest) });
  }
}

function fieldsOf(message: unknown): object {
  if (message instanceof Error) return { err: message, msg: message.message };
  return typeof message === 'object' && message !== null ? message : { msg: String(message) };
}

/** Nest calls `error(message, stack, context)`: two texts, of which the first is a stack. */
function contextOf(rest: readonly unknown[]): object {
  const texts = rest.filter((part): part is string => typeof part === 'string');
  const stack = texts.find((text) => /\n\s+at /.test(text));
  const context = texts.findLast((text) => text !== stack);
  return { ...(context === undefined ? {} : { context }), ...(stack === undefined ? {} : { stack }) };
}
