import { defineErrors } from '../../kernel/failure.js';

/** Why a call out of the service did not take place or was broken off. */
export const egressErrors = defineErrors({
  'agent.egress-refused': { kind: 'unprocessable', title: 'The service may not call this address' },
  'agent.egress-too-large': { kind: 'upstream', title: 'The answer is larger than it may be' },
  'agent.egress-timed-out': {
    kind: 'timeout',
    title: 'The called address did not answer in time',
    retryable: true,
  },
});
