import { defineErrors } from '../../../kernel/failure.js';

/** Failures of the `code` provider; a bound that a program goes beyond is `sandbox.limit-exceeded`. */
export const codeErrors = defineErrors({
  'code.failed': { kind: 'unprocessable', title: 'The code of the agent threw an exception' },
  'sandbox.died': {
    kind: 'unavailable',
    title: 'The sandbox ended before the code did',
    retryable: true,
  },
});
