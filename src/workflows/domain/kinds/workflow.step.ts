/** A step that runs another stored workflow, as a run of its own. */
import { z } from 'zod';

import { textOf } from '../../../agents/domain/agent-reference.js';
import type { CompiledValue } from '../../../expressions/value.js';
import { getOwn } from '../../../kernel/json.js';
import { json, stepFields, trialFields } from '../step-fields.schema.js';
import { constant, type StepReader } from '../step-reader.js';
import type { ValueCheck } from '../value-check.js';
import { workflowReferenceSchema } from '../workflow-reference.schema.js';

export const workflowStepSchema = z.strictObject({
  ...stepFields,
  ...trialFields,
  kind: z.literal('workflow'),
  workflow: workflowReferenceSchema,
  input: json.exactOptional(),
});

/** Running a workflow. */
export interface WorkflowWork {
  readonly kind: 'workflow';
  /** Which workflow and version in one text, `greeting@3`: the name of what it meant in a run's manifest. */
  readonly reference: string;
  /** The input of the sub-run; `{}` where the definition gives nothing. The run's own is not passed by itself. */
  readonly input: CompiledValue;
  /** Checks that input, once it is known which version is run; absent where that has no schema. */
  readonly inputCheck?: ValueCheck;
}

const NO_INPUT = constant({});

export function readWorkflow(step: StepReader): WorkflowWork {
  const reference = workflowReferenceSchema.safeParse(getOwn(step.json, 'workflow'));
  return {
    kind: 'workflow',
    reference: reference.success ? workflowText(reference.data) : '',
    input: step.value('input') ?? NO_INPUT,
  };
}

/** A reference in one text: `greeting`, `greeting@3`, `wf_…@staging`. */
export function workflowText({
  id,
  name = '',
  ...selector
}: {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: number | undefined;
  readonly label?: string | undefined;
}): string {
  return textOf({ key: id ?? name, ...selector });
}
