import { defineErrors } from '../../kernel/failure.js';

export const workerErrors = defineErrors({
  'check.limit-exceeded': {
    kind: 'unprocessable',
    title: 'The check would take more time or memory than it may',
  },
});
