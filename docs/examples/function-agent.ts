/**
 * An agent in code: a Nest provider with the decorator `@AgentFunction`. List its module among the features of
 * `src/app.module.ts`; steps then name it by its key, `"agent": "word-count"`.
 */
import { Module } from '@nestjs/common';

import {
  AgentFunction,
  type AgentFunctionExecutor,
  type FunctionTools,
} from '../../src/agents/agent-function.decorator.js';
import type { Json } from '../../src/kernel/json.js';

@AgentFunction({
  key: 'word-count',
  description: 'Counts the words of a text.',
  inputSchema: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
  outputSchema: { type: 'object', required: ['words'], properties: { words: { type: 'integer' } } },
})
export class WordCount implements AgentFunctionExecutor {
  execute(input: Json, { progress }: FunctionTools): Json {
    const { text } = input as { readonly text: string };
    progress({ percent: 50, message: 'counting' });
    return { words: text.split(/\s+/).filter((word) => word !== '').length };
  }
}

@Module({ providers: [WordCount] })
export class WordCountModule {}
