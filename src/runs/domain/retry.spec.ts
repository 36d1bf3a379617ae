import fc from 'fast-check';

import type { Failure, FailureKind } from '../../kernel/failure.js';
import { DEFAULT_RETRY } from '../../workflows/domain/retry-policy.js';
import { MAX_DELAY_MS, MAX_RETRY_AFTER_MS, nextRetryDelay, type RetryQuestion } from './retry.js';

const OVERLOADED: Failure = { code: 'agent.overloaded', kind: 'upstream', message: '', retryable: true };

interface Asked extends Partial<RetryQuestion['policy']> {
  readonly failures?: number;
  readonly random?: number;
  readonly failure?: Partial<Failure>;
}

/** The delay under the defaults without jitter, except for what the test is about. */
function delayOf({ failures = 1, random = 0.5, failure, ...policy }: Asked): number | undefined {
  return nextRetryDelay({
    policy: { ...DEFAULT_RETRY, jitter: 'none', ...policy },
    failure: { ...OVERLOADED, ...failure },
    failures,
    random,
  });
}

describe('whether a failed attempt is followed by another', () => {
  it.each<readonly [string, Asked, boolean]>([
    ['a failure that may pass', {}, true],
    ['a failure that stays', { failure: { retryable: false } }, false],
    ['the last failure but one of three attempts', { failures: 2 }, true],
    ['the last failure of three attempts', { failures: 3 }, false],
    ['more failures than attempts', { failures: 4 }, false],
    ['one attempt only', { maxAttempts: 1 }, false],
    ['a code that the policy excludes', { nonRetryableErrors: ['agent.overloaded'] }, false],
    ['a code that begins like one that the policy excludes', { nonRetryableErrors: ['agent.over'] }, true],
    [
      'an excluded code with a delay that the other side named',
      { nonRetryableErrors: ['agent.overloaded'], failure: { retryAfterMs: 1 } },
      false,
    ],
  ])('%s', (_, asked, isRetried) => {
    expect(delayOf(asked) !== undefined).toBe(isRetried);
  });

  const NEVER: readonly FailureKind[] = [
    'invalid',
    'unprocessable',
    'unauthenticated',
    'forbidden',
    'too-large',
    'not-found',
  ];
  const KINDS: readonly FailureKind[] = [
    ...NEVER,
    'conflict',
    'precondition-failed',
    'precondition-required',
    'unsupported-media',
    'limited',
    'internal',
    'upstream',
    'unavailable',
    'timeout',
  ];

  it.each(KINDS.map((kind) => ({ kind, isRetried: !NEVER.includes(kind) })))(
    'a failure of kind $kind that is called retryable: $isRetried',
    ({ kind, isRetried }) => {
      expect(delayOf({ failure: { kind } }) !== undefined).toBe(isRetried);
    },
  );
});

describe('the delay', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [5, 16_000],
    [6, 30_000],
    [1_000, 30_000],
  ])('after failure %d is %d ms under the defaults', (failures, delayMs) => {
    expect(delayOf({ failures, maxAttempts: 2_000 })).toBe(delayMs);
  });

  it.each<readonly [string, Asked, number]>([
    ['a coefficient of 1 keeps it', { backoffCoefficient: 1, failures: 9, maxAttempts: 10 }, 1_000],
    ['a coefficient that is no integer is rounded', { backoffCoefficient: 1.5, failures: 2 }, 1_500],
    ['no first interval means none at all', { initialIntervalMs: 0, failures: 2 }, 0],
    [
      'no first interval stays none however much it has grown',
      { initialIntervalMs: 0, backoffCoefficient: 100, failures: 999, maxAttempts: 1_000 },
      0,
    ],
    [
      'a year is the most that a policy can ask for',
      { initialIntervalMs: Number.MAX_SAFE_INTEGER, maxIntervalMs: Number.MAX_SAFE_INTEGER },
      MAX_DELAY_MS,
    ],
    ['no largest interval means none at all', { maxIntervalMs: 0 }, 0],
    ['the other side may ask for less', { failure: { retryAfterMs: 5 } }, 5],
    ['the other side may ask for more', { failure: { retryAfterMs: 45_000 } }, 45_000],
    ['the other side may ask for nothing', { failure: { retryAfterMs: 0 } }, 0],
    ['a time in the past is now', { failure: { retryAfterMs: -5 } }, 0],
    ['15 minutes is the most', { failure: { retryAfterMs: MAX_RETRY_AFTER_MS } }, 900_000],
    ['more than 15 minutes is cut', { failure: { retryAfterMs: MAX_RETRY_AFTER_MS + 1 } }, 900_000],
    ['what the other side asked for has no jitter', { jitter: 'full', failure: { retryAfterMs: 7 } }, 7],
  ])('%s', (_, asked, delayMs) => {
    expect(delayOf(asked)).toBe(delayMs);
  });

  it('with full jitter spreads evenly from nothing to the computed delay', () => {
    expect(
      [0, 0.25, 0.5, 0.999_999].map((random) => delayOf({ jitter: 'full', failures: 2, random })),
    ).toEqual([0, 500, 1_000, 2_000]);
  });

  it('is never negative, never above the largest interval, and always a whole number', () => {
    fc.assert(
      fc.property(
        fc.record({
          maxIntervalMs: fc.integer({ min: 0, max: 3_600_000 }),
          initialIntervalMs: fc.constantFrom(0, 1, 1_000, 60_000),
          backoffCoefficient: fc.double({ min: 1, max: 100, noNaN: true }),
          jitter: fc.constantFrom('full' as const, 'none' as const),
          failures: fc.integer({ min: 1, max: 999 }),
          random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        }),
        (asked) => {
          const delayMs = delayOf({ ...asked, maxAttempts: 1_000 }) ?? Number.NaN;
          expect(Number.isInteger(delayMs)).toBe(true);
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(asked.maxIntervalMs);
        },
      ),
    );
  });
});
