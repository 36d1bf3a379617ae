/**
 * Workflows that run themselves, however far down.
 *
 * Decided here: where that is told. It is no problem: a condition may end it, and past a depth it fails
 * (runs/domain/sub-run.ts).
 */
import type { DefinitionReference } from './definition-references.js';
import { reachable, type PinnedWorkflows, type WorkflowPins } from './pinned-workflow.js';
import { warningAt, type Warning } from './warning.js';

/** The references of a definition, and what they mean. */
interface Referring {
  /** The name of the definition, where it has one. */
  readonly name?: string;
  readonly references: readonly (DefinitionReference & { readonly text: string })[];
  readonly workflows: WorkflowPins;
  readonly pinned: PinnedWorkflows;
}

/** A warning for each reference to a workflow that leads back to where it has been. */
export function listRecursions({ name, references, workflows, pinned }: Referring): readonly Warning[] {
  return references.flatMap(({ kind, text, target, pointer }) => {
    const pin = kind === 'workflow' ? workflows[text] : undefined;
    if (pin === undefined || !(target === name || leadsBack({ [text]: pin }, pinned))) return [];
    const message = `"${target}" runs itself: sub-runs nest at most ten deep, so a condition must end it`;
    return [warningAt(pointer, 'workflow.recursive', message)];
  });
}

function leadsBack(workflows: WorkflowPins, pinned: PinnedWorkflows): boolean {
  return Object.entries(reachable(workflows, pinned)).some(([key, { workflows: next }]) =>
    Object.keys(reachable(next, pinned)).includes(key),
  );
}
