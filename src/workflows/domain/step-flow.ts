/** What a step says of when it runs and how often it is tried, with the defaults. */
import type { Join, OnError, RetryPolicy, StepDefinition } from './definition.schema.js';
import type { CompiledStep } from './graph.js';
import { resolveRetry } from './retry-policy.js';

/** The fields that only some kinds have, as far as they are there. */
type Optional = Partial<
  Pick<
    CompiledStep,
    'timeoutMs' | 'totalTimeoutMs' | 'idleTimeoutMs' | 'queueTimeoutMs' | 'inputSchema' | 'outputSchema'
  >
>;

/** The fields that a step has beside those of all steps. */
export function optionalOf({
  timeoutMs,
  totalTimeoutMs,
  idleTimeoutMs,
  queueTimeoutMs,
  inputSchema,
  outputSchema,
}: Optional): Optional {
  return {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(totalTimeoutMs !== undefined && { totalTimeoutMs }),
    ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    ...(queueTimeoutMs !== undefined && { queueTimeoutMs }),
    ...(inputSchema !== undefined && { inputSchema }),
    ...(outputSchema !== undefined && { outputSchema }),
  };
}

/** What all steps have of these, with the defaults. */
export function flowOf(
  step: StepDefinition,
  definition: { readonly retry?: unknown },
): Pick<CompiledStep, 'join' | 'onError' | 'retry' | 'hasPolicy'> {
  const ofStep = (step as { readonly retry?: RetryPolicy }).retry;
  const ofDefinition = definition.retry as RetryPolicy | undefined;
  return {
    join: (step.join ?? 'none_failed') satisfies Join,
    onError: (step.onError ?? 'fail') satisfies OnError,
    retry: resolveRetry(ofDefinition, ofStep),
    hasPolicy: (ofDefinition ?? ofStep) !== undefined,
  };
}
