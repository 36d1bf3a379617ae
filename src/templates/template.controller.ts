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
import { Idempotent } from '../platform/http/idempotent.decorator.js';
import { ApiIfMatch, entityTagOf } from '../platform/http/if-match.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { editOf, withAccepted } from '../platform/versions/version-request.js';
import { templateErrors } from './domain/template.errors.js';
import { CreateTemplateDto, UpdateTemplateDto } from './dto/edit-template.dto.js';
import { bodyOf, nextBodyOf } from './dto/template-body.js';
import { TemplateListQueryDto } from './dto/template-query.dto.js';
import { TemplateDto, templateItemOf, TemplateItemDto, templateViewOf } from './dto/template.dto.js';
import { EXAMPLE_OLD_TEMPLATE, EXAMPLE_TEMPLATE } from './examples.js';
import type { FoundTemplate } from './template-source.js';
import { TemplateService } from './template.service.js';

/** The part of a path that names a template. */
export const TEMPLATE_ID = {
  name: 'id',
  description: "The template's id or name.",
  example: EXAMPLE_TEMPLATE,
} as const;

/** The view of a version, and its `ETag`. */
export function answerWith(reply: FastifyReply, found: FoundTemplate): TemplateDto {
  void reply.header('ETag', entityTagOf(found.version));
  return templateViewOf(found);
}

@ApiTags('Templates')
@Controller('templates')
export class TemplateController {
  constructor(private readonly templates: TemplateService) {}

  @Post()
  @RateClass('write')
  @Idempotent()
  @ApiOperation({
    summary: 'Create a template',
    description:
      'Its first version. `{{ name }}`, `{{ user.name }}`, `{{ items[0].title }}`, defaults, `{% if %}`, `{% for %}`, ' +
      'filters; `{% render "name@label" %}` puts in another text template, up to 5 deep.',
  })
  @ApiCreatedResponse({ type: TemplateDto, description: '`Location` leads to the template.' })
  @ApiProblems(
    templateErrors['template.invalid'],
    templateErrors['template.name-taken'],
    templateErrors['template.too-large'],
  )
  async create(
    @Body() body: CreateTemplateDto,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    const { namespace, author, changeNote } = editOf('', principal, body);
    const found = await this.templates.create({
      ...{ namespace, author, name: body.name, body: bodyOf(body) },
      ...(changeNote !== undefined && { changeNote }),
    });
    void reply.header('Location', `/api/v1/templates/${found.head.id}`);
    return answerWith(reply, found);
  }

  @Get()
  @RateClass('read')
  @ApiOperation({ summary: 'List templates, newest first' })
  @ApiPage(TemplateItemDto, 'Templates as their latest versions are, newest first')
  async list(
    @Query() { tag, search, limit, cursor }: TemplateListQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<Page<TemplateItemDto>> {
    const filter = { ...(tag !== undefined && { tag }), ...(search !== undefined && { search }) };
    const page = { limit, ...(cursor !== undefined && { cursor }) };
    const { items, ...rest } = await this.templates.list(namespace, filter, page);
    return { ...rest, items: items.map(templateItemOf) };
  }

  @Get(':id')
  @RateClass('read')
  @ApiOperation({
    summary: 'Read a template',
    description:
      'With neither `version` nor `label`: `production` where that label exists, else `latest`; `label` says which.',
  })
  @ApiParam(TEMPLATE_ID)
  @ApiOkResponse({ type: TemplateDto })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.version-not-found'],
    templateErrors['template.label-not-found'],
  )
  async get(
    @Param('id') id: string,
    @Query() query: VersionQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    return answerWith(reply, await this.templates.get(namespace, id, selectorOf(query)));
  }

  @Put(':id')
  @RateClass('write')
  @Idempotent()
  @ApiIfMatch()
  @ApiOperation({
    summary: 'Save a new version',
    description: 'What is left out stays as it is. A save that changes nothing makes no version.',
  })
  @ApiParam(TEMPLATE_ID)
  @ApiOkResponse({ type: TemplateDto, description: 'The latest version.' })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.invalid'],
    templateErrors['template.too-large'],
    templateErrors['template.contended'],
  )
  async update(
    @Param('id') id: string,
    @Body() body: UpdateTemplateDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    const edit = withAccepted(editOf(id, principal, body), request);
    return answerWith(reply, await this.templates.update(edit, (latest) => nextBodyOf(body, latest)));
  }

  @Delete(':id')
  @HttpCode(204)
  @RateClass('write')
  @ApiOperation({
    summary: 'Delete a template with all its versions',
    description:
      'Refused while something refers to it, such as a version of another template that includes it, unless ' +
      '`force=true`. Runs that use it go on.',
  })
  @ApiParam({ ...TEMPLATE_ID, example: EXAMPLE_OLD_TEMPLATE })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(templateErrors['template.not-found'], templateErrors['template.in-use'])
  async delete(
    @Param('id') id: string,
    @Query() { force = false }: DeleteQueryDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<void> {
    await this.templates.delete(namespace, id, force);
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
  @ApiParam(TEMPLATE_ID)
  @ApiOkResponse({ type: TemplateDto, description: 'The latest version.' })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.version-not-found'],
    templateErrors['template.invalid'],
    templateErrors['template.contended'],
  )
  async rollback(
    @Param('id') id: string,
    @Body() body: RollbackDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateDto> {
    const edit = withAccepted(editOf(id, principal, body), request);
    return answerWith(reply, await this.templates.rollback(edit, body.version));
  }
}
