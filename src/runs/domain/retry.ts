/**
 * Whether and when a failed attempt is followed by another.
 *
 * Decided here: the delay, purely. Decided elsewhere: the resolved policy (workflows/domain/graph.ts), the clock and
 * the random number (both arrive with the command).
 */
import type { Failure } from '../../kernel/failure.js';
import type { RetryPolicy } from '../../workflows/domain/definition.schema.js';

/** The longest delay that another side may ask for, in milliseconds: 15 minutes. */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** The longest delay of all, whatever a policy says: 365 days. Beyond the calendar an instant can not be written. */
export const MAX_DELAY_MS = 365 * 24 * 3_600_000;

const NEVER_RETRIED_KINDS: ReadonlySet<Failure['kind']> = new Set([
  'invalid',
  'unprocessable',
  'unauthenticated',
  'forbidden',
  'too-large',
  'not-found',
]);

export interface RetryQuestion {
  /** The policy in force, every field present. */
  readonly policy: Required<RetryPolicy>;
  readonly failure: Failure;
  /** Failed attempts, this one included; interrupted attempts do not count. At least 1. */
  readonly failures: number;
  /** In [0, 1). */
  readonly random: number;
}

/**
 * The delay before the next attempt in milliseconds, or undefined when there is none.
 *
 * What the other side named (`retryAfterMs`) wins over the computed delay, capped at 15 minutes. Full jitter spreads
 * the delay evenly over [0, computed] (AWS Architecture Blog, "Exponential Backoff And Jitter").
 */
export function nextRetryDelay(question: RetryQuestion): number | undefined {
  if (!isRetried(question)) return undefined;
  const { failure } = question;
  if (failure.retryAfterMs !== undefined)
    return Math.min(Math.max(0, failure.retryAfterMs), MAX_RETRY_AFTER_MS);
  return backoff(question);
}

function isRetried({ policy, failure, failures }: RetryQuestion): boolean {
  if (failures >= policy.maxAttempts) return false;
  if (policy.nonRetryableErrors.includes(failure.code)) return false;
  if (NEVER_RETRIED_KINDS.has(failure.kind)) return false;
  return failure.retryable;
}

function backoff({ policy, failures, random }: RetryQuestion): number {
  // Kept finite: an interval of 0 stays 0 however often it has grown.
  const growth = Math.min(policy.backoffCoefficient ** (failures - 1), Number.MAX_VALUE);
  const capped = Math.min(policy.initialIntervalMs * growth, policy.maxIntervalMs, MAX_DELAY_MS);
  return Math.round(policy.jitter === 'full' ? capped * random : capped);
}
