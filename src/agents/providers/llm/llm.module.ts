import { Module } from '@nestjs/common';

import { LlmProvider } from './llm.provider.js';
import { ModelFinder } from './model-finder.js';
import { PriceList } from './price-list.js';
import { ToolSources } from './tool-sources.js';

/** Needs the platform, and the ports of `ToolsModule`, from global modules. */
@Module({
  providers: [LlmProvider, ModelFinder, PriceList, ToolSources],
  exports: [LlmProvider, ModelFinder, PriceList, ToolSources],
})
export class LlmModule {}
