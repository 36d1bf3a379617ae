import { Body, Controller, HttpStatus, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { ApiControl } from './api-control.decorator.js';
import { runErrors } from './domain/run.errors.js';
import type { RunView } from './domain/view.js';
import { RetryRunDto } from './dto/retry-run.dto.js';
import { EXAMPLE_FAILED_RUN } from './examples.js';
import { RunRetryService } from './run-retry.service.js';

@ApiTags('Runs')
@Controller('runs')
export class RunRetryController {
  constructor(private readonly retries: RunRetryService) {}

  @Post(':id/retry')
  @RateClass('start')
  @Idempotent()
  @ApiOperation({
    summary: 'Retry a run that has ended badly',
    description:
      'Of a run that has failed, timed out or was cancelled: what has completed stays and is not run again, what has not ' +
      'runs again with everything after it; versions of agents and templates stay as they were. With `fromStep` everything ' +
      'from that step, item or iteration on runs again as well. Steps that were undone are done again.',
  })
  @ApiControl(EXAMPLE_FAILED_RUN, runErrors['run.not-retryable'])
  @ApiProblems(runErrors['run.not-found'], runErrors['step.not-found'])
  async retry(
    @Param('id') id: string,
    @Body() { ...asked }: RetryRunDto,
    @CurrentPrincipal() { namespace, keyId }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const by = keyId === undefined ? {} : { by: keyId };
    const { run, isRecorded } = await this.retries.retry(namespace, id, { ...asked, ...by });
    void reply.status(isRecorded ? HttpStatus.OK : HttpStatus.ACCEPTED);
    return run;
  }
}
