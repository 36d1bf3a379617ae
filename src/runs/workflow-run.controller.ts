import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { selectorOf } from '../platform/http/dto/versions.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { workflowErrors } from '../workflows/domain/workflow.errors.js';
import { EXAMPLE_WORKFLOW } from '../workflows/examples.js';
import { ApiStart } from './api-start.decorator.js';
import type { RunView } from './domain/view.js';
import { StartWorkflowRunDto } from './dto/start-run.dto.js';
import { startRequestOf } from './start-options.dto.js';
import { StartResponder } from './start-responder.js';

/** Starting runs of stored workflows. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowRunController {
  constructor(private readonly starts: StartResponder) {}

  @Post(':id/runs')
  @RateClass('start')
  @ApiOperation({
    summary: 'Start a run of a workflow',
    description:
      'As `POST /runs` with `workflow`. With neither `version` nor `label`: `production` where that label exists, ' +
      'else `latest`; the run says which version it is of.',
  })
  @ApiParam({ name: 'id', description: "The workflow's id or name.", example: EXAMPLE_WORKFLOW })
  @ApiStart(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
  )
  start(
    @Param('id') id: string,
    @Body() body: StartWorkflowRunDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RunView> {
    const workflow = { id, ...selectorOf(body) };
    return this.starts.answer(startRequestOf(body, { workflow }, { namespace }), request, reply);
  }
}
