/** A step that waits for a signal by its name. */
import { z } from 'zod';

import { durationMs, jsonObject, stepFields } from '../step-fields.schema.js';
import type { StepReader } from '../step-reader.js';

/** The form of a signal's name. */
export const SIGNAL_NAME = /^[A-Za-z][A-Za-z0-9._:-]{0,127}$/;

export const signalStepSchema = z.strictObject({
  ...stepFields,
  kind: z.literal('signal'),
  signal: z.string().regex(SIGNAL_NAME, 'expected a name such as "payment.received"'),
  timeoutMs: durationMs.exactOptional(),
  outputSchema: jsonObject.exactOptional(),
});

/** Waiting for a signal. */
export interface SignalWork {
  readonly kind: 'signal';
  readonly signal: string;
  /** How long it waits at most; absent: for ever. */
  readonly timeoutMs?: number;
}

export function readSignal(step: StepReader): SignalWork {
  const timeoutMs = step.number('timeoutMs');
  return { kind: 'signal', signal: step.text('signal'), ...(timeoutMs !== undefined && { timeoutMs }) };
}
