import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import type { TemplateProgram } from './domain/parse.js';
import { pinWith, referenceOf, type PinnedTemplate } from './domain/pinned.js';
import { renderProgram, type RenderedTemplate } from './domain/render.js';
import { estimateTokens, type TokenEstimate } from './domain/token-estimate.js';
import type { TemplateContent, VersionSelector } from './domain/template.js';
import type { SchemaCheck } from './domain/variable.js';
import { TemplateCompiler } from './template-compiler.js';
import { TemplateSource } from './template-source.js';

/** A rendering with what it is a rendering of. */
export type Rendered = RenderedTemplate & {
  /** Absent for a content that is not stored. */
  readonly template?: {
    readonly id: string;
    readonly name: string;
    readonly version: number;
    /** The label that led there; absent when a version was asked for. */
    readonly label?: string;
  };
  readonly tokenEstimate: TokenEstimate;
};

/** Rendering templates. */
@Injectable()
export class TemplateRenderService {
  /** Checks values of variables against their schemas. */
  readonly check: SchemaCheck = (schema, value) => this.schemas.validate(schema, value);

  constructor(
    private readonly source: TemplateSource,
    private readonly compiler: TemplateCompiler,
    private readonly schemas: JsonSchemaService,
  ) {}

  /**
   * Renders a stored template by id or name. Reads nothing from the record while it is cached.
   *
   * @throws AppError `template.not-found`, `template.version-not-found`, `template.label-not-found`,
   *   `template.variable-missing`, `template.variable-invalid`, `expression.failed`; `template.invalid` when something
   *   that it includes was deleted or has changed for the worse
   */
  async render(
    namespace: string,
    reference: string,
    selector: VersionSelector,
    variables: JsonObject,
  ): Promise<Rendered> {
    const found = await this.source.get(namespace, reference, selector);
    const { program } = await this.compiler.stored(namespace, found);
    const { head, version, label } = found;
    const template = { id: head.id, name: head.name, version, ...(label !== undefined && { label }) };
    return { template, ...this.renderWith(program, variables) };
  }

  /** Renders a content that is not stored. @throws AppError as `render`, and `template.invalid`, `template.too-large` */
  async renderContent(namespace: string, content: TemplateContent, variables: JsonObject): Promise<Rendered> {
    return this.renderWith(await this.compiler.compile(namespace, content), variables);
  }

  /**
   * One version of a template with everything that it includes.
   *
   * @throws AppError `template.not-found`, `template.version-not-found`, `template.label-not-found`, `template.invalid`
   */
  async pin(namespace: string, reference: string, selector: VersionSelector): Promise<PinnedTemplate> {
    const found = await this.source.get(namespace, reference, selector);
    const { source, program } = await this.compiler.stored(namespace, found);
    const { description: _, tags: __, ...content } = found.content.body;
    const pinned = {
      ...referenceOf({ ...found, id: found.head.id, name: found.head.name }),
      ...content,
      ...(Object.keys(source.includes).length > 0 && { includes: source.includes }),
    };
    return pinWith(pinned, program);
  }

  private renderWith(program: TemplateProgram, variables: JsonObject): Rendered {
    const rendered = renderProgram(program, variables, this.check);
    if (!rendered.ok) throw new AppError(rendered.failure);
    const { value } = rendered;
    const texts = value.kind === 'text' ? [value.text] : value.messages.map(({ content }) => content);
    return { ...value, tokenEstimate: estimateTokens(texts) };
  }
}
