import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { BulkAnswerDto, BulkRunsDto } from './dto/bulk-runs.dto.js';
import { runFilterOf } from './dto/run-query.dto.js';
import { RunBulkService } from './run-bulk.service.js';

const DEFAULT_LIMIT = 100;

const EXAMPLE = { action: 'cancel', filter: { status: 'paused', tag: 'example' }, dryRun: true };

@ApiTags('Runs')
@Controller('runs')
export class RunBulkController {
  constructor(private readonly bulk: RunBulkService) {}

  @Post('bulk')
  @HttpCode(HttpStatus.OK)
  @RateClass('execute')
  @Idempotent()
  @ApiOperation({
    summary: 'Cancel or retry many runs',
    description:
      'Those of a filter that the action means something to, newest first: what has not ended is cancelled, what has ' +
      'badly is retried. With `dryRun` they are only counted. A request deals with `limit` runs and looks at 10,000 at ' +
      'most; where there may be more the answer has a cursor to go on with.',
  })
  // Written out: an example made of all fields would match nothing.
  @ApiExtraModels(BulkRunsDto)
  @ApiBody({ schema: { allOf: [{ $ref: getSchemaPath(BulkRunsDto) }], example: EXAMPLE } })
  @ApiOkResponse({ type: BulkAnswerDto })
  carryOut(
    @Body() { action, filter, dryRun = false, limit = DEFAULT_LIMIT, cursor, reason }: BulkRunsDto,
    @CurrentPrincipal() { namespace, keyId }: Principal,
  ): Promise<BulkAnswerDto> {
    return this.bulk.carryOut({
      ...{ namespace, action, filter: runFilterOf(filter), dryRun, limit },
      ...(cursor !== undefined && { cursor }),
      ...(reason !== undefined && { reason }),
      ...(keyId !== undefined && { by: keyId }),
    });
  }
}
