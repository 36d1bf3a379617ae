import { defineErrors } from '../../../kernel/failure.js';

/** Failures of the `http` provider, beside those of every call to a service elsewhere. */
export const httpAgentErrors = defineErrors({
  'agent.upstream-failed': { kind: 'upstream', title: 'The called service failed', retryable: true },
  'agent.status-unexpected': {
    kind: 'upstream',
    title: 'The called service answered with a status that the agent does not take for a success',
  },
});
