/** What a start is about: a definition that is sent along, or a stored workflow. */
import { failureOf, type Issue } from '../kernel/failure.js';
import { fieldErrors } from '../kernel/field.errors.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { listSchemaIssues } from '../workflows/domain/definition-issues.js';
import {
  workflowReferenceSchema,
  type WorkflowReference,
} from '../workflows/domain/workflow-reference.schema.js';

/** Exactly one of both. The definition is not looked at. */
export interface StartSubject {
  readonly workflow?: WorkflowReference;
}

/** Reads what a start is about; `request.invalid` with every problem when it is not exactly one thing. */
export function parseSubject({
  definition,
  workflow,
}: {
  readonly definition: unknown;
  readonly workflow: unknown;
}): Result<StartSubject> {
  const issues = issuesOf(definition, workflow);
  if (issues.length === 0) {
    return ok(workflow === undefined ? {} : { workflow: workflow as WorkflowReference });
  }
  return fail(failureOf(httpErrors['request.invalid'], issues[0]?.message ?? '', { issues }));
}

function issuesOf(definition: unknown, workflow: unknown): readonly Issue[] {
  if (workflow === undefined) {
    if (definition !== undefined) return [];
    const message = 'a definition or a workflow is required';
    return ['/definition', '/workflow'].map((pointer) => ({
      pointer,
      code: fieldErrors['field.required'].code,
      message,
    }));
  }
  const issues = listSchemaIssues(workflowReferenceSchema, workflow).map((issue) => ({
    ...issue,
    pointer: `/workflow${issue.pointer}`,
  }));
  if (definition === undefined) return issues;
  const both = 'give a definition or a workflow, not both';
  return [{ pointer: '/workflow', code: fieldErrors['field.invalid'].code, message: both }, ...issues];
}
