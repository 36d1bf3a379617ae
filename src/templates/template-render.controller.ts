import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';

import { expressionErrors } from '../expressions/expression.errors.js';
import { CurrentPrincipal } from '../platform/auth/principal.decorator.js';
import type { Principal } from '../platform/auth/principal.js';
import { ApiProblems } from '../platform/http/api.decorator.js';
import { RateClass } from '../platform/http/rate-class.decorator.js';
import { templateErrors } from './domain/template.errors.js';
import { RenderContentDto, RenderedTemplateDto, RenderTemplateDto } from './dto/render-template.dto.js';
import { contentOf } from './dto/template-body.js';
import { selectorOf } from '../platform/http/dto/versions.dto.js';
import { TEMPLATE_ID } from './template.controller.js';
import { TemplateRenderService } from './template-render.service.js';

/** Rendering templates. */
@ApiTags('Templates')
@Controller('templates')
export class TemplateRenderController {
  constructor(private readonly renders: TemplateRenderService) {}

  @Post('render')
  @HttpCode(200)
  @RateClass('render')
  @ApiOperation({ summary: 'Render a content that is not stored' })
  @ApiOkResponse({ type: RenderedTemplateDto })
  @ApiProblems(
    templateErrors['template.invalid'],
    templateErrors['template.too-large'],
    templateErrors['template.variable-invalid'],
    expressionErrors['template.variable-missing'],
    expressionErrors['expression.failed'],
  )
  renderContent(
    @Body() { variables = {}, ...content }: RenderContentDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<RenderedTemplateDto> {
    return this.renders.renderContent(namespace, contentOf(content), variables);
  }

  @Post(':id/render')
  @HttpCode(200)
  @RateClass('render')
  @ApiOperation({
    summary: 'Render a template',
    description:
      'Names every missing variable in one answer; null is a value, which reads as no text. `template` says which ' +
      'version was used. Pointers outside `/variables` lead into that version: `/content`, `/messages/1/content`.',
  })
  @ApiParam(TEMPLATE_ID)
  @ApiOkResponse({ type: RenderedTemplateDto })
  @ApiProblems(
    templateErrors['template.not-found'],
    templateErrors['template.version-not-found'],
    templateErrors['template.label-not-found'],
    templateErrors['template.invalid'],
    templateErrors['template.variable-invalid'],
    expressionErrors['template.variable-missing'],
    expressionErrors['expression.failed'],
  )
  render(
    @Param('id') id: string,
    @Body() { variables = {}, ...selector }: RenderTemplateDto,
    @CurrentPrincipal() { namespace }: Principal,
  ): Promise<RenderedTemplateDto> {
    return this.renders.render(namespace, id, selectorOf(selector), variables);
  }
}
