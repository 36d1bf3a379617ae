import { Body, Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import {
  DiffQueryDto,
  labelIn,
  MoveLabelDto,
  RevisionDto,
  revisionViewOf,
  versionIn,
} from '../platform/http/dto/versions.dto.js';
import { editOf } from '../platform/versions/version-request.js';
import { entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import {
  DeleteLabel,
  GetVersion,
  GetVersions,
  PutLabel,
} from '../platform/versions/version-routes.decorator.js';
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
const RESOURCE = {
  noun: 'a workflow',
  id: WORKFLOW_ID,
  type: WorkflowDto,
  labelled: 'The version must be one that may still run.',
};

/** Versions of workflows, and the labels on them. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowVersionController {
  constructor(private readonly workflows: StoredWorkflowService) {}

  @GetVersions(
    RESOURCE,
    { type: RevisionDto, description: 'Versions, newest first, without their definition' },
    workflowErrors['workflow.not-found'],
  )
  async versions(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<RevisionDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.workflows.versions(namespace, id, page);
    return { ...rest, items: items.map(revisionViewOf) };
  }

  @GetVersion(RESOURCE, workflowErrors['workflow.not-found'], workflowErrors['workflow.version-not-found'])
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

  @PutLabel(
    RESOURCE,
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

  @DeleteLabel(
    RESOURCE,
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
