import { defineErrors } from '../kernel/failure.js';

/** Failures of agents. */
export const agentErrors = defineErrors({
  'agent.not-found': { kind: 'not-found', title: 'No agent has this key' },
  'agent.not-configured': { kind: 'unprocessable', title: 'The agent lacks a setting that it needs' },
  'agent.input-invalid': { kind: 'unprocessable', title: 'The input is not what the agent takes' },
  'agent.output-invalid': { kind: 'upstream', title: 'The output is not what the agent promised' },
  'agent.timed-out': { kind: 'timeout', title: 'The agent did not answer in time', retryable: true },
  'agent.needs-run': {
    kind: 'unprocessable',
    title: 'The agent answers later, which only a step of a run can wait for',
  },
  'agent.crashed': {
    kind: 'internal',
    title: 'The provider of the agent threw an exception',
    retryable: true,
  },
});
