/** Waiting until somebody approves or rejects. */
import { evaluateValue, type CompiledValue } from '../../../expressions/value.js';
import { failureOf } from '../../../kernel/failure.js';
import type { Json, JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import type { ApprovalWork } from '../../../workflows/domain/kinds/approval.step.js';
import type { AskedApproval } from '../approval.js';
import { located } from '../located.js';
import { runErrors } from '../run.errors.js';
import type { EngineKind } from './step-kind.js';

const MAX_ASSIGNEE_LENGTH = 200;

export const approvalStep: EngineKind<'approval'> = {
  needsPlace: false,
  resolve(work, resolving) {
    const { scope, now } = resolving();
    const asked = askedOf(work, scope);
    if (!asked.ok) return { kind: 'fail', failure: asked.failure };
    const until = work.timeoutMs === undefined ? {} : { until: now + work.timeoutMs };
    return { kind: 'ask', asked: asked.value, ...until };
  },
};

/** What is asked, with everything evaluated: what is decided later needs nothing else of the run. */
function askedOf(work: ApprovalWork, scope: JsonObject): Result<AskedApproval> {
  const prompt = valueOf(work.prompt, 'prompt', scope);
  if (!prompt.ok) return prompt;
  const assignees = valueOf(work.assignees, 'assignees', scope);
  if (!assignees.ok) return assignees;
  if (assignees.value !== undefined && !areNames(assignees.value)) return fail(noNames(assignees.value));
  const onTimeout = routeOf(work, scope);
  if (!onTimeout.ok) return onTimeout;
  return ok({
    ...(prompt.value !== undefined && { prompt: textOf(prompt.value) }),
    ...(work.form && { form: work.form }),
    ...(assignees.value !== undefined && { assignees: assignees.value }),
    ...(work.timeoutMs !== undefined && { onTimeout: onTimeout.value }),
    onReject: work.onReject,
  });
}

function routeOf(
  { onTimeout }: ApprovalWork,
  scope: JsonObject,
): Result<NonNullable<AskedApproval['onTimeout']>> {
  if (typeof onTimeout === 'string') return ok(onTimeout);
  const output = evaluateValue(onTimeout.output, scope);
  return output.ok ? ok({ output: output.value }) : fail(located(output.failure, 'onTimeout.output'));
}

function valueOf(
  compiled: CompiledValue | undefined,
  field: string,
  scope: JsonObject,
): Result<Json | undefined> {
  if (compiled === undefined) return ok(undefined);
  const value = evaluateValue(compiled, scope);
  return value.ok ? value : fail(located(value.failure, field));
}

function areNames(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every(isName);
}

function isName(value: Json): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ASSIGNEE_LENGTH;
}

function noNames(value: Json): ReturnType<typeof failureOf> {
  const shown = JSON.stringify(value).slice(0, 100);
  const message = `assignees: expected a list of texts of 1 to ${MAX_ASSIGNEE_LENGTH} characters, got ${shown}`;
  return failureOf(runErrors['approval.invalid'], message, { details: { field: 'assignees' } });
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
