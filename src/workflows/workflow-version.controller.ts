import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import {
  DiffQueryDto,
  labelIn,
  MoveLabelDto,
  RevisionDto,
  revisionViewOf,
  versionIn,
} from '../platform/http/dto/versions.dto.js';
import { editOf } from '../platform/http/edit-of.js';
import { entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from './domain/definition.errors.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { WorkflowDiffDto, WorkflowDto, workflowViewOf } from './dto/workflow.dto.js';
import { EXAMPLE_WORKFLOW } from './examples.js';
import { StoredWorkflowService } from './stored-workflow.service.js';

const WORKFLOW_ID = {
  name: 'id',
  description: "The workflow's id or name.",
  example: EXAMPLE_WORKFLOW,
} as const;
const LABEL = { name: 'label', example: 'staging' } as const;

/** Versions of workflows, and the labels on them. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowVersionController {
  constructor(private readonly workflows: StoredWorkflowService) {}

  @Get(':id/versions')
  @RateClass('read')
  @ApiOperation({ summary: 'List the versions of a workflow, newest first' })
  @ApiParam(WORKFLOW_ID)
  @ApiPage(RevisionDto, 'Versions, newest first, without their definition')
  @ApiProblems(workflowErrors['workflow.not-found'])
  async versions(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<RevisionDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.workflows.versions(namespace, id, page);
    return { ...rest, items: items.map(revisionViewOf) };
  }

  @Get(':id/versions/:version')
  @RateClass('read')
  @ApiOperation({ summary: 'Read one version of a workflow' })
  @ApiParam(WORKFLOW_ID)
  @ApiParam({ name: 'version', example: '1' })
  @ApiOkResponse({ type: WorkflowDto })
  @ApiProblems(workflowErrors['workflow.not-found'], workflowErrors['workflow.version-not-found'])
  async version(
    @Param('id') id: string,
    @Param('version') version: string,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowDto> {
    const found = await this.workflows.get(namespace, id, { version: versionIn(version) });
    void reply.header('ETag', entityTagOf(found.version));
    return workflowViewOf(found);
  }

  @Get(':id/diff')
  @RateClass('read')
  @ApiOperation({ summary: 'Show what changed between two versions: steps and fields' })
  @ApiParam(WORKFLOW_ID)
  @ApiOkResponse({ type: WorkflowDiffDto })
  @ApiProblems(workflowErrors['workflow.not-found'], workflowErrors['workflow.version-not-found'])
  diff(
    @Param('id') id: string,
    @Query() range: DiffQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<WorkflowDiffDto> {
    return this.workflows.diff(namespace, id, range);
  }

  @Put(':id/labels/:label')
  @RateClass('write')
  @ApiOperation({
    summary: 'Put a label on a version',
    description: 'Away from the version that had it. The version must be one that may still run.',
  })
  @ApiParam(WORKFLOW_ID)
  @ApiParam(LABEL)
  @ApiOkResponse({ type: WorkflowDto, description: 'The version that carries the label now.' })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-reserved'],
    definitionErrors['definition.invalid'],
  )
  async moveLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @Body() { version, reason }: MoveLabelDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowDto> {
    const move = { version, label: labelIn(label), ...(reason !== undefined && { reason }) };
    const found = await this.workflows.moveLabel(editOf(id, principal), move);
    void reply.header('ETag', entityTagOf(found.version));
    return workflowViewOf(found);
  }

  @Delete(':id/labels/:label')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({ summary: 'Take a label away' })
  @ApiParam(WORKFLOW_ID)
  @ApiParam(LABEL)
  @ApiNoContentResponse({ description: 'No version carries it any more.' })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.label-not-found'],
    workflowErrors['workflow.label-reserved'],
  )
  async removeLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.workflows.removeLabel(namespace, id, labelIn(label));
  }
}
