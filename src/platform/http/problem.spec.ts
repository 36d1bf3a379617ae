import { BadRequestException, NotFoundException, ServiceUnavailableException } from '@nestjs/common';

import { AppError, failureOf } from '../../kernel/failure.js';
import { failureOfException } from './exception-failure.js';
import { httpErrors } from './http.errors.js';
import { problemOf } from './problem.js';

describe('problemOf', () => {
  it('shows a failure with its place', () => {
    const failure = failureOf(httpErrors['request.invalid'], '1 problem in the body', {
      issues: [{ pointer: '/a', code: 'field.invalid', message: 'must be a string' }],
      details: { offset: 3 },
    });

    expect(problemOf(failure, { instance: '/api/v1/runs', requestId: 'req_1' })).toEqual({
      type: '/problems/request.invalid',
      title: 'The request is not valid',
      status: 400,
      detail: '1 problem in the body',
      instance: '/api/v1/runs',
      code: 'request.invalid',
      requestId: 'req_1',
      retryable: false,
      issues: [{ pointer: '/a', code: 'field.invalid', message: 'must be a string' }],
      details: { offset: 3 },
    });
  });

  it('never shows the failure behind a failure', () => {
    const cause = failureOf(httpErrors['internal.error'], 'of the inside');
    const failure = failureOf(httpErrors['service.unavailable'], 'later', { cause });

    expect(JSON.stringify(problemOf(failure))).not.toContain('of the inside');
  });

  it.each([
    ['whole seconds, rounded up', { retryAfterMs: 1200 }, 2],
    ['at least one second', { retryAfterMs: 5 }, 1],
    ['one second where nobody named a time', {}, 1],
  ])('tells when to try again in %s', (_, options, expected) => {
    expect(problemOf(failureOf(httpErrors['rate.limited'], 'slowly', options)).retryAfter).toBe(expected);
  });
});

describe('failureOfException', () => {
  const fastifyError = Object.assign(new Error('too big'), {
    code: 'FST_ERR_CTP_BODY_TOO_LARGE',
    statusCode: 413,
  });
  const libraryError = Object.assign(new Error('inside'), { code: 'EPIPE', statusCode: 404 });

  it.each([
    ['an AppError', AppError.of(httpErrors['version.stale'], 'x'), 'version.stale'],
    ['an unknown route', new NotFoundException('Cannot GET /x'), 'route.not-found'],
    ['a bad request of Nest', new BadRequestException('no number'), 'request.invalid'],
    ['an outage', new ServiceUnavailableException(), 'service.unavailable'],
    ['a refusal of Fastify', fastifyError, 'request.too-large'],
    ['an error of a library with a status of its own', libraryError, 'internal.error'],
    ['an error', new Error('inside'), 'internal.error'],
    ['something that is no error', 'inside', 'internal.error'],
    ['nothing', undefined, 'internal.error'],
  ])('is, for %s, %s', (_, exception, code) => {
    const failure = failureOfException(exception);

    expect(failure.code).toBe(code);
    expect(failure.message).not.toContain('inside');
  });
});
