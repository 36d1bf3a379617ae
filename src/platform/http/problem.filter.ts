import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Failure } from '../../kernel/failure.js';
import { ErrorCatalogue } from './error.catalogue.js';
import { failureOfException } from './exception-failure.js';
import { problemOf, PROBLEM_MEDIA_TYPE } from './problem.js';

/** Answers everything that is thrown with a problem document. The stack goes to the log only. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly catalogue: ErrorCatalogue) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const failure = failureOfException(exception);
    this.log(exception, failure, request);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    this.answer(failure, request, reply);
  }

  private answer(failure: Failure, request: FastifyRequest, reply: FastifyReply): void {
    const place = { instance: pathOf(request), requestId: request.id };
    const problem = problemOf(failure, place, this.catalogue.find(failure.code)?.title);
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="ensemble"');
    void reply
      .header('x-request-id', request.id)
      .code(problem.status)
      .type(PROBLEM_MEDIA_TYPE)
      .send(JSON.stringify(problem));
  }

  private log(exception: unknown, failure: Failure, request: FastifyRequest): void {
    const fields = {
      requestId: request.id,
      method: request.method,
      path: pathOf(request),
      code: failure.code,
    };
    if (failure.kind === 'internal') this.logger.error({ ...fields, err: exception, msg: 'Request failed' });
    else this.logger.debug({ ...fields, msg: failure.message });
  }
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
