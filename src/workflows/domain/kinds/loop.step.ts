/** A step that repeats a body of steps. */
import { z } from 'zod';

import { flowFields, json, jsonObject, repeatFields } from '../step-fields.schema.js';

/** The schema of a loop, around that of the steps in its body. */
export function loopStepSchemaOf(step: z.ZodType): z.ZodObject {
  return z.strictObject({
    ...flowFields,
    kind: z.literal('loop'),
    outputSchema: jsonObject.exactOptional(),
    repeat: z.strictObject({
      ...repeatFields,
      body: z.strictObject({ steps: z.array(step).min(1), output: json.exactOptional() }),
    }),
  });
}

/** Carrying a body out; it is the `body` of the step's repetition. */
export interface LoopWork {
  readonly kind: 'loop';
}

export function readLoop(): LoopWork {
  return { kind: 'loop' };
}
