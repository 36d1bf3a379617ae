/**
 * The wire form of a failure: a problem document (RFC 9457).
 *
 * Decided here: which status a kind of failure becomes, and what of a failure is shown. Used for HTTP answers and
 * for acknowledgements of socket commands alike.
 */
import type { ErrorType, Failure, FailureKind, Issue } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { httpErrors } from './http.errors.js';

/** The media type of a problem document. */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json; charset=utf-8';

const STATUS_OF_KIND: Readonly<Record<FailureKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'precondition-failed': 412,
  'precondition-required': 428,
  'too-large': 413,
  'unsupported-media': 415,
  unprocessable: 422,
  limited: 429,
  internal: 500,
  upstream: 502,
  unavailable: 503,
  timeout: 504,
};

/** RFC 9457 with the members of ours: `code`, `requestId`, `retryable`, `issues`, `details`. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: string;
  readonly requestId?: string;
  readonly retryable: boolean;
  /** Whole seconds, as in the header `Retry-After`. */
  readonly retryAfter?: number;
  readonly issues?: readonly Issue[];
  readonly details?: { readonly [key: string]: Json };
}

/** Where a problem occurred. */
export interface ProblemPlace {
  /** The path of the request, without its query. */
  readonly instance?: string;
  readonly requestId?: string;
}

/** The HTTP status of a kind of failure. */
export function statusOf(kind: FailureKind): number {
  return STATUS_OF_KIND[kind];
}

/**
 * The problem document of a failure.
 *
 * @param title the constant title of the code; without one, a title of the kind of failure
 */
export function problemOf(failure: Failure, place: ProblemPlace = {}, title?: string): ProblemDocument {
  const { code, kind, message, retryable, issues, details } = failure;
  const retryAfter = retryAfterOf(failure);
  return {
    type: `/problems/${code}`,
    title: title ?? titleOf(failure),
    status: statusOf(kind),
    detail: message,
    ...(place.instance === undefined ? {} : { instance: place.instance }),
    code,
    ...(place.requestId === undefined ? {} : { requestId: place.requestId }),
    retryable,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(issues === undefined ? {} : { issues }),
    ...(details === undefined ? {} : { details }),
  };
}

function retryAfterOf({ kind, retryAfterMs }: Failure): number | undefined {
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs / 1000));
  return kind === 'unavailable' || kind === 'limited' ? 1 : undefined;
}

const TITLE_OF_KIND: Readonly<Record<FailureKind, string>> = {
  invalid: 'Not valid',
  unauthenticated: 'Not authenticated',
  forbidden: 'Forbidden',
  'not-found': 'Not found',
  conflict: 'Conflict',
  'precondition-failed': 'Precondition failed',
  'precondition-required': 'Precondition required',
  'too-large': 'Too large',
  'unsupported-media': 'Unsupported media type',
  unprocessable: 'Cannot be processed',
  limited: 'Limit reached',
  internal: 'Internal error',
  upstream: 'Upstream failure',
  unavailable: 'Unavailable',
  timeout: 'Timed out',
};

function titleOf({ code, kind }: Failure): string {
  const known: Readonly<Record<string, ErrorType | undefined>> = httpErrors;
  return known[code]?.title ?? TITLE_OF_KIND[kind];
}
