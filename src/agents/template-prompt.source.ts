import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { JsonObject } from '../kernel/json.js';
import { TemplateRenderService } from '../templates/template-render.service.js';
import { agentErrors } from './agent.errors.js';
import { PromptSource, type PromptReference } from './prompt.source.js';

/** Stored prompt templates as the texts of agents. */
@Injectable()
export class TemplatePromptSource extends PromptSource {
  constructor(private readonly templates: TemplateRenderService) {
    super();
  }

  override async render(
    namespace: string,
    { id, name = '', version, label }: PromptReference,
    variables: JsonObject,
  ): Promise<string> {
    const selector = {
      ...(version !== undefined && { version }),
      ...(label !== undefined && { label }),
    };
    const rendered = await this.templates.render(namespace, id ?? name, selector, variables);
    if (rendered.kind === 'text') return rendered.text;
    const message = `the template "${id ?? name}" is a conversation; expected one that is a text`;
    throw AppError.of(agentErrors['agent.not-configured'], message);
  }
}
