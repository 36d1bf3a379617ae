import { defineErrors } from '../../kernel/failure.js';

/** Codes of patterns: of requests, and of runs whose agents chose what there is not. */
export const patternErrors = defineErrors({
  'pattern.not-found': { kind: 'not-found', title: 'There is no such pattern' },
  'pattern.pick-unknown': { kind: 'unprocessable', title: 'The agent picked none of what it could pick' },
});
