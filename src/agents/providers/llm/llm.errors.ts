import { defineErrors } from '../../../kernel/failure.js';

/** Failures of a call to a model provider that other calls do not have. */
export const llmErrors = defineErrors({
  'agent.overloaded': { kind: 'unavailable', title: 'The model provider is overloaded', retryable: true },
});
