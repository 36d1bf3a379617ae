import { Module } from '@nestjs/common';

import { LlmProvider } from './llm.provider.js';

/** Needs `ProviderConfig` and `Clock` from global modules. */
@Module({ providers: [LlmProvider], exports: [LlmProvider] })
export class LlmModule {}
