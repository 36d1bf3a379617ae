import { Injectable, type OnModuleInit } from '@nestjs/common';

import { ReferenceChecks } from '../templates/reference.check.js';
import type { ReferenceKind } from './domain/definition-references.js';
import { WorkflowReferenceChecks, type WorkflowUse } from './reference.check.js';
import { WorkflowStore } from './workflow.store.js';

/** How many versions are named as users of one thing. */
const MAX_NAMED = 100;

/** Tells those who own templates and workflows which versions of workflows use them, old versions too. */
@Injectable()
export class WorkflowUses implements OnModuleInit {
  constructor(
    private readonly store: WorkflowStore,
    private readonly templates: ReferenceChecks,
    private readonly workflows: WorkflowReferenceChecks,
  ) {}

  onModuleInit(): void {
    this.templates.register({
      referencesTo: (namespace, { id, name }) => this.usesOf(namespace, 'template', [id, name]),
    });
    this.workflows.register({
      referencesTo: async (namespace, { id, name }) => {
        const uses = await this.usesOf(namespace, 'workflow', [id, name]);
        return uses.filter((use) => use.id !== id);
      },
    });
  }

  private async usesOf(
    namespace: string,
    type: ReferenceKind,
    targets: readonly string[],
  ): Promise<readonly WorkflowUse[]> {
    const references = targets.map((target) => ({ type, target }));
    const found = await this.store.referrers(namespace, references, MAX_NAMED);
    return found.map(({ id, version }) => ({ kind: 'workflow', id, version }));
  }
}
