import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiPage, ApiProblems } from '../platform/http/api.decorator.js';
import { DiffQueryDto, labelIn, MoveLabelDto, versionIn } from '../platform/http/dto/versions.dto.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { templateErrors } from './domain/template.errors.js';
import { LATEST } from './domain/template.js';
import { revisionViewOf, TemplateDiffDto, TemplateDto, TemplateRevisionDto } from './dto/template.dto.js';
import { answerWith, editOf, TEMPLATE_ID } from './template.controller.js';
import { TemplateService } from './template.service.js';

const LABEL = { name: 'label', example: 'staging' } as const;

/** Versions of templates, and the labels on them. */
@ApiTags('Templates')
@Controller('templates')
export class TemplateVersionController {
  constructor(private readonly templates: TemplateService) {}

  @Get(':id/versions')
  @RateClass('read')
  @ApiOperation({ summary: 'List the versions of a template, newest first' })
  @ApiParam(TEMPLATE_ID)
  @ApiPage(TemplateRevisionDto, 'Versions, newest first, without their text')
  @ApiProblems(templateErrors['template.not-found'])
  async versions(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<TemplateRevisionDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.templates.versions(namespace, id, page);
    return { ...rest, items: items.map(revisionViewOf) };
  }

  @Get(':id/versions/:version')
  @RateClass('read')
  @ApiOperation({ summary: 'Read one version of a template' })
  @ApiParam(TEMPLATE_ID)
  @ApiParam({ name: 'version', example: '1' })
  @ApiOkResponse({ type: TemplateDto })
  @ApiProblems(templateErrors['template.not-found'], templateErrors['template.version-not-found'])
  async version(
    @Param('id') id: string,
    @Param('version') version: string,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    return answerWith(reply, await this.templates.get(namespace, id, { version: versionIn(version) }));
  }

  @Get(':id/diff')
  @RateClass('read')
  @ApiOperation({ summary: 'Show what changed between two versions: lines and variables' })
  @ApiParam(TEMPLATE_ID)
  @ApiOkResponse({ type: TemplateDiffDto })
  @ApiProblems(templateErrors['template.not-found'], templateErrors['template.version-not-found'])
  async diff(
    @Param('id') id: string,
    @Query() { from, to }: DiffQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<TemplateDiffDto> {
    const last = to ?? (await this.templates.get(namespace, id, { label: LATEST })).version;
    return this.templates.diff(namespace, id, from ?? Math.max(1, last - 1), last);
  }

  @Put(':id/labels/:label')
  @RateClass('write')
  @ApiOperation({ summary: 'Put a label on a version', description: 'Away from the version that had it.' })
  @ApiParam(TEMPLATE_ID)
  @ApiParam(LABEL)
  @ApiOkResponse({ type: TemplateDto, description: 'The version that carries the label now.' })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.version-not-found'],
    templateErrors['template.label-reserved'],
    templateErrors['template.invalid'],
  )
  async moveLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @Body() { version, reason }: MoveLabelDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    const move = { version, label: labelIn(label), ...(reason === undefined ? {} : { reason }) };
    return answerWith(reply, await this.templates.moveLabel(editOf(id, principal), move));
  }

  @Delete(':id/labels/:label')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({ summary: 'Take a label away' })
  @ApiParam(TEMPLATE_ID)
  @ApiParam(LABEL)
  @ApiNoContentResponse({ description: 'No version carries it any more.' })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.label-not-found'],
    templateErrors['template.label-reserved'],
  )
  async removeLabel(
    @Param('id') id: string,
    @Param('label') label: string,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.templates.removeLabel(namespace, id, labelIn(label));
  }
}
