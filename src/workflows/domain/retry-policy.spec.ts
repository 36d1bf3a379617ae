import { DEFAULT_RETRY, resolveRetry } from './retry-policy.js';

describe('resolveRetry', () => {
  it('gives the defaults where nothing is given', () => {
    expect(resolveRetry(undefined, undefined)).toEqual({
      maxAttempts: 3,
      initialIntervalMs: 1_000,
      backoffCoefficient: 2,
      maxIntervalMs: 30_000,
      jitter: 'full',
      nonRetryableErrors: [],
    });
  });

  it('takes the step before the definition before the defaults, field by field', () => {
    const ofDefinition = { maxAttempts: 5, jitter: 'none', nonRetryableErrors: ['a.b'] } as const;

    expect(resolveRetry(ofDefinition, { maxAttempts: 1, maxIntervalMs: 9_000 })).toEqual({
      ...DEFAULT_RETRY,
      maxAttempts: 1,
      maxIntervalMs: 9_000,
      jitter: 'none',
      nonRetryableErrors: ['a.b'],
    });
  });
});
