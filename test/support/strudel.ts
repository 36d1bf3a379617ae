import { join } from 'node:path';

import type { AgentOutcome, AgentProvider } from '../../src/agents/agent.provider.js';
import type { EvaluatorFiles } from '../../src/agents/providers/strudel/evaluator-child.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { projectRoot, workerEntry } from '../../src/platform/lifecycle/worker-entry.js';

/** The evaluator as the build made it. */
export const EVALUATOR_FILES: EvaluatorFiles = {
  entry: workerEntry('agents/providers/strudel/evaluator/evaluator.worker.js'),
  bundle: workerEntry('agents/providers/strudel/evaluator/strudel.bundle.js'),
  packages: join(projectRoot(), 'node_modules'),
};

/** Calls a provider as the engine would, outside a run, and gives the outcome. */
export async function invokeProvider(
  provider: AgentProvider,
  input: Json,
  settings: JsonObject = {},
): Promise<AgentOutcome> {
  const call = provider.invoke(
    {
      agentKey: 'strudel',
      settings,
      input,
      namespace: 'default',
      idempotencyKey: 'k',
      attempt: 1,
      failures: 0,
    },
    { signal: new AbortController().signal, journal: { turns: [], record: () => Promise.resolve() } },
  );
  for (;;) {
    const step = await call.next();
    if (step.done === true) return step.value;
  }
}
