import { Body, Controller, Get, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { JsonObject } from '../kernel/json.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { selectorOf } from '../platform/http/dto/versions.dto.js';
import { editOf } from '../platform/versions/version-request.js';
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { AcceptsYaml } from '../platform/http/yaml-body.js';
import { YamlService } from '../platform/yaml/yaml.service.js';
import { definitionErrors } from './domain/definition.errors.js';
import { workflowErrors } from './domain/workflow.errors.js';
import { ExportQueryDto, ImportQueryDto } from './dto/workflow-query.dto.js';
import { SavedWorkflowDto, savedViewOf } from './dto/workflow.dto.js';
import { EXAMPLE_WORKFLOW, exampleImport } from './examples.js';
import { StoredWorkflowService } from './stored-workflow.service.js';

/** Definitions as files, in JSON and YAML. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowTransferController {
  constructor(
    private readonly workflows: StoredWorkflowService,
    private readonly yaml: YamlService,
  ) {}

  @Post('import')
  @RateClass('write')
  @Idempotent()
  @AcceptsYaml()
  @ApiOperation({
    summary: 'Import a definition from JSON or YAML',
    description:
      'The body is the definition alone. Makes a workflow (201), or saves a version of the one of that name (200). ' +
      'YAML is one document of at most 256 KiB without tags of its own.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: { type: 'object', additionalProperties: true, example: exampleImport } })
  @ApiCreatedResponse({ type: SavedWorkflowDto, description: 'Made; `Location` leads to the workflow.' })
  @ApiOkResponse({ type: SavedWorkflowDto, description: 'The latest version of the workflow of that name.' })
  @ApiProblems(definitionErrors['definition.invalid'], workflowErrors['workflow.name-invalid'])
  @ApiProblems(workflowErrors['workflow.contended'])
  async import(
    @Body() body: unknown,
    @Query() { name }: ImportQueryDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedWorkflowDto> {
    const definition = typeof body === 'string' ? await this.yaml.read(body) : body;
    const saved = await this.workflows.import(editOf('', principal), definition, name);
    void reply.status(saved.isNew ? HttpStatus.CREATED : HttpStatus.OK);
    void reply.header('Location', `/api/v1/workflows/${saved.found.head.id}`);
    void reply.header('ETag', entityTagOf(saved.found.version));
    return savedViewOf(saved);
  }

  @Get(':id/export')
  @RateClass('read')
  @ApiOperation({
    summary: 'Export a definition as JSON or YAML',
    description: 'The definition of a version with the name of the workflow in it, as an import takes it.',
  })
  @ApiParam({ name: 'id', description: "The workflow's id or name.", example: EXAMPLE_WORKFLOW })
  @ApiProduces('application/json', 'application/yaml')
  @ApiOkResponse({ schema: { type: 'object', additionalProperties: true } })
  @ApiProblems(
    workflowErrors['workflow.not-found'],
    workflowErrors['workflow.version-not-found'],
    workflowErrors['workflow.label-not-found'],
  )
  async export(
    @Param('id') id: string,
    @Query() { format = 'json', ...selector }: ExportQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JsonObject | string> {
    const definition = await this.workflows.export(namespace, id, selectorOf(selector));
    if (format === 'json') return definition;
    void reply.type('application/yaml; charset=utf-8');
    return this.yaml.write(definition);
  }
}
