/** A step that ends as a failure with a code of the definition's choice. */
import { z } from 'zod';

import type { CompiledValue } from '../../../expressions/value.js';
import { stepFields } from '../step-fields.schema.js';
import { constant, type StepReader } from '../step-reader.js';

/** The form of a code: `order.rejected`. */
const CODE = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

export const failStepSchema = z.strictObject({
  ...stepFields,
  kind: z.literal('fail'),
  code: z.string().max(128).regex(CODE, 'expected a code such as "order.rejected"'),
  message: z.string().min(1).exactOptional(),
});

/** Failing on purpose. */
export interface FailWork {
  readonly kind: 'fail';
  readonly code: string;
  /** Text, as a rule; whatever comes of its braces is written as text. */
  readonly message: CompiledValue;
}

export function readFail(step: StepReader): FailWork {
  const code = step.text('code');
  return { kind: 'fail', code, message: step.value('message') ?? constant(`the definition fails here`) };
}
