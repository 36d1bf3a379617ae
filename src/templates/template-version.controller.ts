import { Body, Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';

import type { Page } from '../kernel/page.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { DiffQueryDto, labelIn, MoveLabelDto, versionIn } from '../platform/http/dto/versions.dto.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { editOf } from '../platform/versions/version-request.js';
import {
  DeleteLabel,
  GetVersion,
  GetVersions,
  PutLabel,
} from '../platform/versions/version-routes.decorator.js';
import { templateErrors } from './domain/template.errors.js';
import { LATEST } from './domain/template.js';
import { revisionViewOf, TemplateDiffDto, TemplateDto, TemplateRevisionDto } from './dto/template.dto.js';
import { answerWith, TEMPLATE_ID } from './template.controller.js';
import { TemplateService } from './template.service.js';

const RESOURCE = { noun: 'a template', id: TEMPLATE_ID, type: TemplateDto };

/** Versions of templates, and the labels on them. */
@ApiTags('Templates')
@Controller('templates')
export class TemplateVersionController {
  constructor(private readonly templates: TemplateService) {}

  @GetVersions(
    RESOURCE,
    { type: TemplateRevisionDto, description: 'Versions, newest first, without their text' },
    templateErrors['template.not-found'],
  )
  async versions(
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<TemplateRevisionDto>> {
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.templates.versions(namespace, id, page);
    return { ...rest, items: items.map(revisionViewOf) };
  }

  @GetVersion(RESOURCE, templateErrors['template.not-found'], templateErrors['template.version-not-found'])
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

  @PutLabel(
    RESOURCE,
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

  @DeleteLabel(
    RESOURCE,
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
