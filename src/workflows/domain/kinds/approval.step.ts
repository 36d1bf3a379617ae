/** A step that waits until somebody approves or rejects. */
import { z } from 'zod';

import type { CompiledValue } from '../../../expressions/value.js';
import { getOwn, isJsonObject, type JsonObject } from '../../../kernel/json.js';
import { durationMs, json, jsonObject, stepFields } from '../step-fields.schema.js';
import type { StepReader } from '../step-reader.js';

const MAX_ASSIGNEES = 100;

export const approvalStepSchema = z.strictObject({
  ...stepFields,
  kind: z.literal('approval'),
  prompt: z.string().min(1).exactOptional(),
  form: jsonObject.exactOptional(),
  assignees: z.array(z.string().min(1)).min(1).max(MAX_ASSIGNEES).exactOptional(),
  timeoutMs: durationMs.exactOptional(),
  onTimeout: z
    .union([z.enum(['fail', 'approve', 'reject']), z.strictObject({ output: json })])
    .exactOptional(),
  onReject: z.enum(['fail', 'continue']).exactOptional(),
  outputSchema: jsonObject.exactOptional(),
});

/** What a rejection means for the step. */
export type OnReject = 'fail' | 'continue';

/** What comes of an approval that nobody has decided in time, where it is no output of its own. */
export type TimeoutRoute = 'fail' | 'approve' | 'reject';

/** Waiting for a decision. */
export interface ApprovalWork {
  readonly kind: 'approval';
  /** What is to be decided. */
  readonly prompt?: CompiledValue;
  /** JSON Schema of what whoever decides fills in. */
  readonly form?: JsonObject;
  /** Who may decide; absent: whoever may answer approvals. */
  readonly assignees?: CompiledValue;
  /** How long it waits at most; absent: for ever. */
  readonly timeoutMs?: number;
  readonly onTimeout: TimeoutRoute | { readonly output: CompiledValue };
  readonly onReject: OnReject;
}

export function readApproval(step: StepReader): ApprovalWork {
  const prompt = step.value('prompt');
  const assignees = step.value('assignees');
  const form = getOwn(step.json, 'form');
  const timeoutMs = step.number('timeoutMs');
  const output = step.inner('onTimeout')?.value('output');
  return {
    kind: 'approval',
    ...(prompt && { prompt }),
    ...(isJsonObject(form) && { form }),
    ...(assignees && { assignees }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    onTimeout: output === undefined ? routeOf(step.text('onTimeout')) : { output },
    onReject: step.text('onReject') === 'continue' ? 'continue' : 'fail',
  };
}

function routeOf(text: string): TimeoutRoute {
  return text === 'approve' || text === 'reject' ? text : 'fail';
}
