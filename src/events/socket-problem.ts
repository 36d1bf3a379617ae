import { Injectable, Logger } from '@nestjs/common';

import { AppError, failureOf, type Failure } from '../kernel/failure.js';
import { ErrorCatalogue } from '../platform/http/error.catalogue.js';
import { failureOfException } from '../platform/http/exception-failure.js';
import { problemOf, type ProblemDocument } from '../platform/http/problem.js';
import { IdSource } from '../platform/ids/id.source.js';
import { socketErrors } from './socket.errors.js';

/** Makes the problems that sockets are told of: the record that REST answers with. */
@Injectable()
export class SocketProblems {
  private readonly logger = new Logger('Sockets');

  constructor(
    private readonly catalogue: ErrorCatalogue,
    private readonly ids: IdSource,
  ) {}

  /** The problem of a failure. */
  ofFailure(failure: Failure): ProblemDocument {
    return problemOf(failure, { requestId: this.ids.next('req') }, this.catalogue.find(failure.code)?.title);
  }

  /** The problem behind anything that was thrown. What nobody expected goes to the log, under the problem's request id. */
  ofException(exception: unknown, during: string): ProblemDocument {
    const problem = this.ofFailure(failureOfException(exception));
    const { requestId, code } = problem;
    if (problem.status === 500)
      this.logger.error({ requestId, during, err: exception, msg: 'Command failed' });
    else this.logger.debug({ requestId, during, code, msg: problem.detail });
    return problem;
  }

  /** The problem of a subscription that ends before its run: how the client goes on, and why where that is known. */
  ofInterruption(exception: unknown, runId: string): ProblemDocument {
    if (!AppError.is(exception)) this.logger.error({ runId, err: exception, msg: 'A subscription ended' });
    const failure = failureOf(
      socketErrors['subscription.interrupted'],
      `The events of run ${runId} cannot be read at present. Subscribe again after the last one that you have`,
      { details: { runId }, ...(AppError.is(exception) ? { cause: exception.failure } : {}) },
    );
    return this.ofFailure(failure);
  }
}
