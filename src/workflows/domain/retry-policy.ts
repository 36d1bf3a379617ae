/**
 * Which retry policy holds for a step.
 *
 * Decided here: the defaults, and that a step's policy replaces the definition's field by field. Decided elsewhere:
 * whether a failure is retried and after how long (runs/domain/retry.ts).
 */
import type { RetryPolicy } from './definition.schema.js';

/** A retry policy with every field. */
export type ResolvedRetryPolicy = Required<RetryPolicy>;

/** What holds where nothing is given. */
export const DEFAULT_RETRY: ResolvedRetryPolicy = {
  maxAttempts: 3,
  initialIntervalMs: 1_000,
  backoffCoefficient: 2,
  maxIntervalMs: 30_000,
  jitter: 'full',
  nonRetryableErrors: [],
};

/** The policy of a step: its own fields, then the definition's, then the defaults. */
export function resolveRetry(
  ofDefinition: RetryPolicy | undefined,
  ofStep: RetryPolicy | undefined,
): ResolvedRetryPolicy {
  return ofDefinition === undefined && ofStep === undefined
    ? DEFAULT_RETRY
    : { ...DEFAULT_RETRY, ...ofDefinition, ...ofStep };
}
