import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import {
  DeleteQueryDto,
  RollbackDto,
  selectorOf,
  VersionQueryDto,
} from '../platform/http/dto/versions.dto.js';
import { editOf, withAccepted } from '../platform/versions/version-request.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { definitionErrors } from './domain/definition.errors.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { CreateWorkflowDto, UpdateWorkflowDto } from './dto/edit-workflow.dto.js';
import { ValidateWorkflowDto, WorkflowValidationDto } from './dto/validate-workflow.dto.js';
import { WorkflowListQueryDto } from './dto/workflow-query.dto.js';
import {
  SavedWorkflowDto,
  savedViewOf,
  WorkflowDto,
  WorkflowItemDto,
  workflowItemOf,
  workflowViewOf,
} from './dto/workflow.dto.js';
import { EXAMPLE_OLD_WORKFLOW, EXAMPLE_WORKFLOW } from './examples.js';
import { StoredWorkflowService } from './stored-workflow.service.js';
import { WorkflowService } from './workflow.service.js';

const WORKFLOW_ID = {
  name: 'id',
  description: "The workflow's id or name.",
  example: EXAMPLE_WORKFLOW,
} as const;

/** Definitions: checking them, and keeping them under a name. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowController {
  constructor(
    private readonly checks: WorkflowService,
    private readonly workflows: StoredWorkflowService,
  ) {}

  @Post('validate')
  @HttpCode(200)
  @RateClass('read')
  @ApiOperation({
    summary: 'Check a definition without running it',
    description:
      'Answers 200 with every problem at once, each with a JSON Pointer and a code; else with the plan, and with ' +
      'warnings about what may be a mistake.',
  })
  @ApiOkResponse({ type: WorkflowValidationDto })
  validate(
    @Body() { definition }: ValidateWorkflowDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<WorkflowValidationDto> {
    return this.checks.validate(namespace, definition, '/definition');
  }

  @Post()
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Create a workflow',
    description: 'Its first version. The definition must be one that may run; it is kept as it is sent.',
  })
  @ApiCreatedResponse({ type: SavedWorkflowDto, description: '`Location` leads to the workflow.' })
  @ApiProblems(
    definitionErrors['definition.invalid'],
    workflowErrors['workflow.name-invalid'],
    workflowErrors['workflow.name-taken'],
  )
  async create(
    @Body() { name, definition, tags, changeNote }: CreateWorkflowDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedWorkflowDto> {
    const authoring = editOf('', principal, changeNote === undefined ? {} : { changeNote });
    const saved = await this.workflows.create(authoring, {
      ...(name !== undefined && { name }),
      ...{ definition, tags: [...new Set(tags)] },
    });
    void reply.header('Location', `/api/v1/workflows/${saved.found.head.id}`);
    void reply.header('ETag', entityTagOf(saved.found.version));
    return savedViewOf(saved);
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List workflows, newest first' })
  @ApiPage(WorkflowItemDto, 'Workflows as their latest versions are, newest first')
  async list(
    @Query() { tag, search, limit, cursor }: WorkflowListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<WorkflowItemDto>> {
    const filter = {
      ...(tag !== undefined && { facets: { tag } }),
      ...(search !== undefined && { search }),
    };
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.workflows.list(namespace, filter, page);
    return { ...rest, items: items.map(workflowItemOf) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({
    summary: 'Read a workflow',
    description:
      'With neither `version` nor `label`: `production` where that label exists, else `latest`; `label` says which.',
  })
  @ApiParam(WORKFLOW_ID)
  @ApiOkResponse({ type: WorkflowDto })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
  )
  async get(
    @Param('id') id: string,
    @Query() query: VersionQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowDto> {
    const found = await this.workflows.get(namespace, id, selectorOf(query));
    void reply.header('ETag', entityTagOf(found.version));
    return workflowViewOf(found);
  }

  @Put(':id')
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Save a new version',
    description: 'What is left out stays as it is. A save that changes nothing makes no version.',
  })
  @ApiParam(WORKFLOW_ID)
  @ApiOkResponse({ type: SavedWorkflowDto, description: 'The latest version.' })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    definitionErrors['definition.invalid'],
    workflowErrors['workflow.name-invalid'],
    workflowErrors['workflow.contended'],
  )
  async update(
    @Param('id') id: string,
    @Body() { definition, tags, changeNote }: UpdateWorkflowDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedWorkflowDto> {
    const note = changeNote === undefined ? {} : { changeNote };
    const saved = await this.workflows.update(withAccepted(editOf(id, principal, note), request), {
      ...(definition !== undefined && { definition }),
      ...(tags !== undefined && { tags: [...new Set(tags)] }),
    });
    void reply.header('ETag', entityTagOf(saved.found.version));
    return savedViewOf(saved);
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({
    summary: 'Delete a workflow with all its versions',
    description: 'Refused while something refers to it, unless `force=true`. Runs of it go on.',
  })
  @ApiParam({ ...WORKFLOW_ID, example: EXAMPLE_OLD_WORKFLOW })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(workflowErrors['workflow.not-found'], workflowErrors['workflow.in-use'])
  async delete(
    @Param('id') id: string,
    @Query() { force = false }: DeleteQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.workflows.delete(namespace, id, force);
  }

  @Post(':id/rollback')
  @HttpCode(200)
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Save an old version again',
    description: 'Makes a new version that says what the old one says: history is never rewritten.',
  })
  @ApiParam(WORKFLOW_ID)
  @ApiOkResponse({ type: SavedWorkflowDto, description: 'The latest version.' })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    definitionErrors['definition.invalid'],
    workflowErrors['workflow.contended'],
  )
  async rollback(
    @Param('id') id: string,
    @Body() body: RollbackDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedWorkflowDto> {
    const edit = withAccepted(editOf(id, principal, body), request);
    const saved = await this.workflows.rollback(edit, body.version);
    void reply.header('ETag', entityTagOf(saved.found.version));
    return savedViewOf(saved);
  }
}
