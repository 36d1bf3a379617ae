/**
 * Stored workflows: a name, and a row of immutable versions of a definition.
 *
 * Decided here: what a version keeps, what a workflow is called, and what a version is found by. Decided elsewhere:
 * whether a definition may run (workflow.service.ts), how versions are kept (workflow.store.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { referencesIn, type ReferenceKind } from './definition-references.js';
import type { WorkflowDefinition } from './definition.schema.js';
import type { workflowErrors } from './workflow.errors.js';

/** Everything that a version keeps of what its author wrote. */
export interface WorkflowBody {
  /** As it was sent. */
  readonly definition: WorkflowDefinition;
  readonly tags: readonly string[];
}

/** Which version of which workflow. */
export interface WorkflowPin {
  readonly id: string;
  readonly version: number;
}

/** What lists show of a workflow and what it is found by. */
export interface WorkflowIndex {
  readonly outline: {
    readonly description?: string;
    readonly facets: { readonly tag: readonly string[] };
  };
  readonly references: readonly { readonly type: ReferenceKind; readonly target: string }[];
}

/** A slug. What looks like an id is no name, so one text names a workflow either way. */
export const WORKFLOW_NAME = /^(?!wf_)[a-z0-9][a-z0-9._-]{0,99}$/;

const NAME_FORM = 'is 1 to 100 of small letters, digits and . _ -, and does not begin with wf_';

/** What a version is found by: its description, its tags, and each thing that it refers to once. */
export function indexOf({ definition, tags }: WorkflowBody): WorkflowIndex {
  const { description } = definition;
  const targets = new Map(
    referencesIn(definition).map(({ kind: type, target }) => [`${type} ${target}`, { type, target }]),
  );
  return {
    outline: { ...(description !== undefined && { description }), facets: { tag: tags } },
    references: [...targets.values()],
  };
}

/**
 * The name of a workflow: the one that is given, else the definition's own. A definition that has a name has this one.
 *
 * @param given where it stands in the request, and what it says
 * @param pointer where the definition stands
 */
export function nameOf(
  definition: Pick<WorkflowDefinition, 'name'>,
  given: { readonly name: string; readonly pointer: string } | undefined,
  pointer: string,
): Result<string, Issue> {
  const own = definition.name;
  const name = given?.name ?? own;
  const ownPointer = `${pointer}/name`;
  const at = given?.pointer ?? ownPointer;
  if (name === undefined)
    return fail(issueAt(at, 'a workflow has a name: give one, or one in the definition'));
  if (!WORKFLOW_NAME.test(name)) return fail(issueAt(at, `the name of a workflow ${NAME_FORM}`));
  if (own === undefined || own === name) return ok(name);
  return fail(issueAt(ownPointer, `the workflow is named "${name}", and its definition says "${own}"`));
}

/** A problem when a definition has another name than the workflow that it is to be a version of. */
export function renaming(
  { name: own }: Pick<WorkflowDefinition, 'name'>,
  name: string,
  pointer: string,
): Issue | undefined {
  if (own === undefined || own === name) return undefined;
  return issueAt(
    `${pointer}/name`,
    `the workflow is named "${name}", which never changes; the definition says "${own}"`,
  );
}

/** A definition that says its name, so that it can stand alone. */
export function withName(definition: WorkflowDefinition, name: string): WorkflowDefinition {
  return definition.name === undefined ? { name, ...definition } : definition;
}

function issueAt(pointer: string, message: string): Issue {
  return { pointer, code: 'workflow.name-invalid' satisfies keyof typeof workflowErrors, message };
}
