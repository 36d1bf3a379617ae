import { Body, Controller, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { Clock } from '../platform/clock/clock.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { idempotencyRowOf } from '../platform/http/idempotency.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from '../workflows/domain/definition.errors.js';
import { runErrors } from './domain/run.errors.js';
import type { RunView } from './domain/view.js';
import { ForkRunDto } from './dto/fork-run.dto.js';
import { RunDto } from './dto/run.dto.js';
import { EXAMPLE_PAUSED_RUN } from './examples.js';
import { RunForkService } from './run-fork.service.js';

/** A fork of the example that has not begun. */
const EXAMPLE = {
  atSeq: 1,
  input: { name: 'Grace' },
  context: { locale: 'fr' },
  upgrade: { agents: ['echo'] },
};

@ApiTags('Runs')
@Controller('runs')
export class RunForkController {
  constructor(
    private readonly forks: RunForkService,
    private readonly clock: Clock,
  ) {}

  @Post(':id/fork')
  @RateClass('start')
  @ApiOperation({
    summary: 'Fork a run',
    description:
      'Starts a new run with the state that a run had after an event, or before a step began, with another input or ' +
      'context, or newer versions of agents and templates. What has completed there is not run again; what was under ' +
      'way or waited there begins again. Of a run that has failed the fork goes on as a retry does. The fork needs ' +
      'nothing of the other run, which may be deleted.',
  })
  @ApiParam({ name: 'id', example: EXAMPLE_PAUSED_RUN })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: '1 to 255 visible characters, kept for 24 h.',
  })
  // Written out: an example made of all fields would begin at two places.
  @ApiExtraModels(ForkRunDto)
  @ApiBody({ required: false, schema: { allOf: [{ $ref: getSchemaPath(ForkRunDto) }], example: EXAMPLE } })
  @ApiAcceptedResponse({
    type: RunDto,
    description: 'Accepted and durable; `Location` leads to the run.',
  })
  @ApiProblems(
    runErrors['run.not-found'],
    runErrors['step.not-found'],
    runErrors['run.not-forkable'],
    definitionErrors['input.invalid'],
    definitionErrors['definition.invalid'],
    httpErrors['idempotency.mismatch'],
    runErrors['queue.full'],
  )
  async fork(
    @Param('id') id: string,
    @Body() { ...asked }: ForkRunDto,
    @CurrentPrincipal() { namespace, keyId }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const idempotency = idempotencyRowOf(request, this.clock.now());
    const { run, isReplayed } = await this.forks.fork(id, {
      namespace,
      ...asked,
      ...(idempotency && { idempotency }),
      ...(keyId !== undefined && { by: keyId }),
    });
    if (isReplayed) void reply.header('Idempotent-Replayed', 'true');
    void reply.status(HttpStatus.ACCEPTED).header('Location', run.links.self);
    return run;
  }
}
