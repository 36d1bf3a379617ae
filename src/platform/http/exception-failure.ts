/**
 * The failure behind anything that was thrown.
 *
 * Decided here: what becomes of the exceptions of Nest and Fastify, and that nothing of an unknown exception is shown.
 */
import { HttpException } from '@nestjs/common';

import { AppError, failureOf, type ErrorType, type Failure } from '../../kernel/failure.js';
import { httpErrors } from './http.errors.js';

const INTERNAL_MESSAGE =
  'The service failed in a way that it did not expect. Its log tells more under the request id.';

/** The failure that an exception carries or stands for; `internal.error` for everything unknown. */
export function failureOfException(exception: unknown): Failure {
  if (AppError.is(exception)) return exception.failure;
  const status = statusOfException(exception);
  if (status === undefined || status >= 500) return serverFailure(status);
  return failureOf(typeOfStatus(status), messageOf(exception, status));
}

function serverFailure(status: number | undefined): Failure {
  if (status === 503)
    return failureOf(httpErrors['service.unavailable'], 'The service cannot answer at present');
  return failureOf(httpErrors['internal.error'], INTERNAL_MESSAGE);
}

/** Nest's exceptions and Fastify's errors tell their status; an error of a library may have a number of its own. */
function statusOfException(exception: unknown): number | undefined {
  if (exception instanceof HttpException) return exception.getStatus();
  if (!(exception instanceof Error) || !('code' in exception) || !('statusCode' in exception))
    return undefined;
  const isFastify = typeof exception.code === 'string' && exception.code.startsWith('FST_');
  return isFastify && typeof exception.statusCode === 'number' ? exception.statusCode : undefined;
}

function typeOfStatus(status: number): ErrorType {
  if (status === 404) return httpErrors['route.not-found'];
  if (status === 413 || status === 414) return httpErrors['request.too-large'];
  if (status === 415) return httpErrors['request.unsupported-media'];
  if (status === 429) return httpErrors['rate.limited'];
  return httpErrors['request.invalid'];
}

function messageOf(exception: unknown, status: number): string {
  if (status === 415) return 'Expected a body of type application/json';
  if (status === 413) return 'The body is larger than the service takes';
  return exception instanceof Error ? exception.message : 'The request is not valid';
}
