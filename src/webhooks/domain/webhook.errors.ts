import { defineErrors } from '../../kernel/failure.js';

export const webhookErrors = defineErrors({
  'webhook.not-found': { kind: 'not-found', title: 'There is no such webhook' },
  'webhook.delivery-not-found': { kind: 'not-found', title: 'The webhook has no such delivery' },
  'webhook.invalid': { kind: 'unprocessable', title: 'The webhook can not be used' },
  'webhook.contended': {
    kind: 'conflict',
    title: 'Somebody else changed the webhook at the same time',
    retryable: true,
  },
});
