import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { selectorOf } from '../platform/http/dto/versions.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { DiagramDto, WorkflowGraphQueryDto } from './diagram.dto.js';
import { definitionErrors } from './domain/definition.errors.js';
import { mermaidOf } from './domain/mermaid.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { EXAMPLE_WORKFLOW } from './examples.js';
import { StoredWorkflowService } from './stored-workflow.service.js';

/** Stored workflows as they are drawn. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowGraphController {
  constructor(private readonly workflows: StoredWorkflowService) {}

  @Get(':id/graph')
  @RateClass('read')
  @ApiOperation({ summary: 'Draw a version of a workflow: its steps and what waits for what' })
  @ApiParam({ name: 'id', description: "The workflow's id or name.", example: EXAMPLE_WORKFLOW })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ type: DiagramDto })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
    definitionErrors['definition.invalid'],
  )
  async graph(
    @Param('id') id: string,
    @Query() { format = 'json', ...selector }: WorkflowGraphQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DiagramDto | string> {
    const diagram = await this.workflows.diagram(namespace, id, selectorOf(selector));
    if (format === 'json') return diagram;
    void reply.type('text/plain; charset=utf-8');
    return mermaidOf(diagram);
  }
}
