import { defineErrors } from '../../kernel/failure.js';

/** Failures of requests themselves, whatever they ask for. */
export const httpErrors = defineErrors({
  'request.invalid': { kind: 'invalid', title: 'The request is not valid' },
  'request.too-large': { kind: 'too-large', title: 'The request is larger than the service takes' },
  'request.unsupported-media': { kind: 'unsupported-media', title: 'The media type is not supported' },
  'route.not-found': { kind: 'not-found', title: 'There is no such route' },
  'rate.limited': { kind: 'limited', title: 'Too many requests', retryable: true },
  'version.stale': { kind: 'precondition-failed', title: 'The version named is not the present one' },
  'idempotency.mismatch': { kind: 'unprocessable', title: 'The idempotency key belongs to another request' },
  'idempotency.in-progress': {
    kind: 'conflict',
    title: 'The first request with this idempotency key has not ended',
    retryable: true,
  },
  'service.unavailable': {
    kind: 'unavailable',
    title: 'The service cannot answer at present',
    retryable: true,
  },
  'internal.error': { kind: 'internal', title: 'The service failed' },
});
