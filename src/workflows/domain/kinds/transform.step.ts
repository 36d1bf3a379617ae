/** A step that computes its output from what it reads, without calling anybody. */
import { z } from 'zod';

import type { CompiledCel } from '../../../expressions/cel.js';
import { expression, jsonObject, stepFields } from '../step-fields.schema.js';
import type { StepReader } from '../step-reader.js';

export const transformStepSchema = z.strictObject({
  ...stepFields,
  kind: z.literal('transform'),
  expression,
  outputSchema: jsonObject.exactOptional(),
});

/** Computing a value. */
export interface TransformWork {
  readonly kind: 'transform';
  /** Absent only in a definition that is refused. */
  readonly expression?: CompiledCel;
}

export function readTransform(step: StepReader): TransformWork {
  const compiled = step.expression('expression');
  return { kind: 'transform', ...(compiled && { expression: compiled }) };
}
