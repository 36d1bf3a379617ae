import { defineErrors } from '../../../kernel/failure.js';

/** Failures of a call to a model provider. */
export const llmErrors = defineErrors({
  'agent.unauthorized': { kind: 'upstream', title: 'The model provider does not accept the credentials' },
  'agent.rate-limited': {
    kind: 'limited',
    title: 'The model provider limits the rate of calls',
    retryable: true,
  },
  'agent.overloaded': { kind: 'unavailable', title: 'The model provider is overloaded', retryable: true },
  'agent.unavailable': {
    kind: 'unavailable',
    title: 'The model provider can not answer at the moment',
    retryable: true,
  },
  'agent.unreachable': {
    kind: 'unavailable',
    title: 'The model provider could not be reached',
    retryable: true,
  },
  'agent.request-refused': { kind: 'unprocessable', title: 'The model provider refused the request' },
  'agent.request-too-large': {
    kind: 'too-large',
    title: 'The request is larger than the model provider takes',
  },
  'agent.answer-broken': {
    kind: 'upstream',
    title: 'The answer of the model provider broke off or can not be read',
    retryable: true,
  },
});
