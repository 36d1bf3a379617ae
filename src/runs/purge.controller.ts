import { Controller, Delete, HttpCode, Param } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { runErrors } from './domain/run.errors.js';
import { EXAMPLE_OLD_RUN } from './examples.js';
import { PurgeService } from './purge.service.js';
import { RetentionLoop } from './retention.loop.js';

@ApiTags('Runs')
@Controller('runs')
export class PurgeController {
  constructor(
    private readonly purges: PurgeService,
    private readonly retention: RetentionLoop,
  ) {}

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({
    summary: 'Delete a run that has ended',
    description:
      'With its events, files, tasks, approvals and idempotency key, and with the runs that it started. Figures stay, ' +
      'and what is still to be delivered to webhooks is not. Runs go by themselves `RUN_RETENTION_DAYS` after they ended.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_OLD_RUN })
  @ApiNoContentResponse({ description: 'Deleted. Who asks for its events is answered a reset.' })
  @ApiProblems(
    runErrors['run.not-found'],
    runErrors['run.not-ended'],
    runErrors['run.has-parent'],
    runErrors['run.unread'],
  )
  async delete(@Param('id') runId: string, @CurrentPrincipal() { namespace }: Principal): Promise<void> {
    await this.purges.delete(namespace, runId);
    // When its files may go is later: the loop sets its timer.
    this.retention.ask(runId);
  }
}
