/**
 * Failure: an expected bad outcome as plain data, and AppError, the exception that carries one.
 *
 * Decided here: the shape, the closed list of kinds, how codes are declared.
 * Decided elsewhere: which HTTP status a kind becomes (platform/http/problem.filter.ts).
 */
import type { Json } from './json.js';

/** The closed list of kinds of failure; the only thing that is ever mapped to an HTTP status. */
export type FailureKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'precondition-failed'
  | 'precondition-required'
  | 'too-large'
  | 'unsupported-media'
  | 'unprocessable'
  | 'limited'
  | 'internal'
  | 'upstream'
  | 'unavailable'
  | 'timeout';

/** One problem in what a caller sent. */
export interface Issue {
  /** JSON Pointer (RFC 6901) from the root of the request body; `""` is the whole body. */
  readonly pointer: string;
  /** Stable code, `noun.state`. */
  readonly code: string;
  /** What was expected and what came. */
  readonly message: string;
}

/** A serialisable record of what went wrong. Stored in events, sent over sockets, shown by the API. No stack. */
export interface Failure {
  /** Stable public name, `noun.state-with-hyphens`, declared once in the feature's `x.errors.ts`. */
  readonly code: string;
  readonly kind: FailureKind;
  /** What was expected, what came, what to try. Never a secret. */
  readonly message: string;
  /** Whether the same request may succeed when it is made again. */
  readonly retryable: boolean;
  /** The least delay before another try, in milliseconds, where the other side named one. */
  readonly retryAfterMs?: number;
  /** JSON for machines; `issues` holds the list of problems of a refused request. */
  readonly details?: { readonly [key: string]: Json };
  readonly issues?: readonly Issue[];
  readonly cause?: Failure;
}

/** The constant part of a failure: what `docs/errors.md` lists. */
export interface ErrorType {
  readonly code: string;
  readonly kind: FailureKind;
  /** One line for people, the same for every occurrence (RFC 9457 `title`). */
  readonly title: string;
  readonly retryable: boolean;
}

/** The variable part of a failure. */
export type FailureOptions = Partial<
  Pick<Failure, 'retryAfterMs' | 'details' | 'issues' | 'cause' | 'retryable'>
>;

/**
 * Declares the error types of one feature, keyed by code.
 *
 * @example
 * export const runErrors = defineErrors({ 'run.not-found': { kind: 'not-found', title: 'No such run' } });
 */
export function defineErrors<C extends string>(
  types: Record<C, Omit<ErrorType, 'code' | 'retryable'> & { retryable?: boolean }>,
): { readonly [K in C]: ErrorType } {
  const out = {} as Record<C, ErrorType>;
  for (const code of Object.keys(types) as C[]) {
    const type = types[code];
    out[code] = { code, kind: type.kind, title: type.title, retryable: type.retryable ?? false };
  }
  return out;
}

/** Makes a failure of a declared type. */
export function failureOf(type: ErrorType, message: string, options: FailureOptions = {}): Failure {
  return { code: type.code, kind: type.kind, message, retryable: type.retryable, ...options };
}

const APP_ERROR = Symbol.for('ensemble.AppError');

/** An exception that carries a failure. Services throw it; domain functions return `Result` instead. */
export class AppError extends Error {
  readonly [APP_ERROR] = true;

  constructor(
    readonly failure: Failure,
    options?: ErrorOptions,
  ) {
    super(failure.message, options);
    this.name = 'AppError';
  }

  /** True for an AppError of this or another realm (worker threads break `instanceof`). */
  static is(value: unknown): value is AppError {
    return typeof value === 'object' && value !== null && APP_ERROR in value;
  }

  /** An AppError of a declared type. */
  static of(type: ErrorType, message: string, options?: FailureOptions): AppError {
    return new AppError(failureOf(type, message, options));
  }
}
