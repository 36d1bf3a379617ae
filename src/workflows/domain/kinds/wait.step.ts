/** A step that waits for a time. */
import { z } from 'zod';

import type { CompiledValue } from '../../../expressions/value.js';
import { stepFields } from '../step-fields.schema.js';
import { constant, type StepReader } from '../step-reader.js';

/** The longest wait, in milliseconds: 365 days. */
export const MAX_WAIT_MS = 365 * 24 * 3_600_000;

export const waitStepSchema = z
  .strictObject({
    ...stepFields,
    kind: z.literal('wait'),
    durationMs: z.int().min(0).max(MAX_WAIT_MS).exactOptional(),
    until: z.string().min(1).exactOptional(),
  })
  .refine(({ durationMs, until }) => (durationMs === undefined) !== (until === undefined), {
    error: 'give durationMs or until',
  });

/** Waiting for a duration or an instant; exactly one of them is there. */
export interface WaitWork {
  readonly kind: 'wait';
  readonly durationMs?: number;
  /** An ISO 8601 instant, or braces that give one. */
  readonly until?: CompiledValue;
}

export function readWait(step: StepReader): WaitWork {
  const durationMs = step.number('durationMs');
  const until = step.value('until');
  return {
    kind: 'wait',
    ...(durationMs !== undefined && { durationMs }),
    ...(durationMs === undefined && { until: until ?? constant('') }),
  };
}
