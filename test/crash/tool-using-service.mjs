/**
 * The service with an `llm` agent `composer`, whose model may call the agent `counting`: that one writes a line to
 * CALLS_FILE for each call, and answers when `input.holdFile` is absent or exists. A process of its own, so that a
 * test can kill it.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { AgentProvider } from '../../dist/agents/agent.provider.js';
import { Provider } from '../../dist/agents/provider.decorator.js';
import { LlmProvider } from '../../dist/agents/providers/llm/llm.provider.js';
import { LlmModule } from '../../dist/agents/providers/llm/llm.module.js';
import { AppModule } from '../../dist/app.module.js';
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/platform/config/load-config.js';
import { endOnSignals } from '../../dist/platform/lifecycle/shut-down.js';

class CountingProvider extends AgentProvider {
  settingsSchema() {
    return { type: 'object' };
  }

  check() {
    return [];
  }

  async *invoke({ input, idempotencyKey }, { signal }) {
    appendFileSync(process.env.CALLS_FILE, `${JSON.stringify({ n: input.n, idempotencyKey })}\n`);
    yield { type: 'progress', percent: 0 };
    while (input.holdFile !== undefined && !existsSync(input.holdFile))
      await delay(20, undefined, { signal });
    return { status: 'completed', output: { n: input.n } };
  }
}
Provider({
  kind: 'counting',
  description: 'Counts its calls in a file.',
  agents: [{ key: 'counting', description: 'Counts its calls in a file.', settings: {} }],
})(CountingProvider);

class ComposerProvider extends LlmProvider {}
Provider({
  kind: 'llm-with-tools',
  description: 'An llm agent with a tool.',
  agents: [
    {
      key: 'composer',
      description: 'Composes with a tool.',
      settings: { provider: 'anthropic', tools: [{ type: 'agent', agent: 'counting' }] },
    },
  ],
})(ComposerProvider);

class Root {}

const config = loadConfig().value;
const app = await createApp(config, {
  module: Root,
  imports: [AppModule.forRoot(config), LlmModule],
  providers: [CountingProvider, ComposerProvider],
});
endOnSignals(app);
await app.listen(config.server.port, config.server.host);
console.log(`LISTENING ${await app.getUrl()}`);
