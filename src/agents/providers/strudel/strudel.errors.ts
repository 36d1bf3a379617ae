import { defineErrors } from '../../../kernel/failure.js';

/** Failures of the `strudel` provider. A program that is wrong is not one of them: that is a result. */
export const strudelErrors = defineErrors({
  'strudel.evaluator-died': {
    kind: 'unavailable',
    title: 'The evaluator of Strudel programs ended before it answered',
    retryable: true,
  },
});
