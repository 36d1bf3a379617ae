/** The workflow that steps of simulated runs run: two calls, of which the second may fail. */
import type { RunManifest } from '../../src/runs/domain/run.events.js';
import type { WorkflowDefinition } from '../../src/workflows/domain/definition.schema.js';

const PIN = { id: 'wf_other', version: 1 };

const definition = {
  steps: [
    { id: 'o0', agent: 'scripted' },
    { id: 'o1', agent: 'scripted', dependsOn: ['o0'], onError: 'continue' },
  ],
} as unknown as WorkflowDefinition;

/** What every simulated run has resolved. */
export const MANIFEST: RunManifest = {
  agents: {},
  workflows: { other: PIN },
  definitions: {
    'wf_other@1': {
      ...PIN,
      definition,
      agents: {},
      templates: {},
      workflows: {},
      timeoutMs: 6 * 3_600_000,
      maxParallelSteps: 2,
    },
  },
};
