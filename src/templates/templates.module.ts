import { Module } from '@nestjs/common';

import { ExampleTemplatesService } from './example-templates.service.js';
import { IncludeCheck } from './include.check.js';
import { ReferenceChecks } from './reference.check.js';
import { TemplateCompiler } from './template-compiler.js';
import { TemplateRenderController } from './template-render.controller.js';
import { TemplateRenderService } from './template-render.service.js';
import { TemplateSource } from './template-source.js';
import { TemplateVersionController } from './template-version.controller.js';
import { TemplateController } from './template.controller.js';
import { TemplateService } from './template.service.js';

/** Prompt templates: versions, labels, rendering. */
@Module({
  controllers: [TemplateController, TemplateVersionController, TemplateRenderController],
  providers: [
    ExampleTemplatesService,
    IncludeCheck,
    ReferenceChecks,
    TemplateCompiler,
    TemplateRenderService,
    TemplateService,
    TemplateSource,
  ],
  exports: [ReferenceChecks, TemplateCompiler, TemplateRenderService, TemplateService, TemplateSource],
})
export class TemplatesModule {}
