/**
 * What refers to a workflow, asked before it is deleted.
 *
 * Decided here: the question. Decided elsewhere: the answers; each feature that refers to workflows registers one.
 */
import { Injectable } from '@nestjs/common';

/** Something that refers to a workflow. */
export interface WorkflowUse {
  /** What it is, as people call it: `schedule`. */
  readonly kind: string;
  readonly id: string;
  /** The version that refers to it, where there are versions. */
  readonly version?: number;
}

/** The workflow that is asked about; others may refer to it by either. */
export interface ReferredWorkflow {
  readonly id: string;
  readonly name: string;
}

export abstract class WorkflowReferenceCheck {
  /** Everything stored in the namespace that refers to the workflow, at most some hundred; none when it may go. */
  abstract referencesTo(namespace: string, workflow: ReferredWorkflow): Promise<readonly WorkflowUse[]>;
}

/** Every check there is. Without one, nothing refers to workflows. */
@Injectable()
export class WorkflowReferenceChecks extends WorkflowReferenceCheck {
  private readonly checks: WorkflowReferenceCheck[] = [];

  register(check: WorkflowReferenceCheck): void {
    this.checks.push(check);
  }

  override async referencesTo(
    namespace: string,
    workflow: ReferredWorkflow,
  ): Promise<readonly WorkflowUse[]> {
    return (await Promise.all(this.checks.map((check) => check.referencesTo(namespace, workflow)))).flat();
  }
}
