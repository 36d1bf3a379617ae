import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { StorageConfig } from '../platform/config/app.config.js';
import { EXAMPLE_WORKFLOW, exampleWorkflows } from './examples.js';
import { StoredWorkflowService } from './stored-workflow.service.js';

const BY = { namespace: 'default', author: 'anonymous' };

/**
 * Workflows with fixed ids, so that every example of the API can be executed on a fresh start. Made on the embedded
 * record only, while it has no workflow: what somebody deleted stays deleted.
 */
@Injectable()
export class ExampleWorkflowsService implements OnApplicationBootstrap {
  constructor(
    private readonly workflows: StoredWorkflowService,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.workflows.list(BY.namespace, {}, { limit: 1 });
    if (items.length === 0) await this.plant();
  }

  private async plant(): Promise<void> {
    for (const { id, versions } of exampleWorkflows) {
      const [first, ...later] = versions;
      if (first === undefined) continue;
      await this.workflows.create(BY, { id, definition: first, tags: ['example'] });
      for (const definition of later) await this.workflows.update({ ...BY, reference: id }, { definition });
    }
    const edit = { ...BY, reference: EXAMPLE_WORKFLOW };
    await this.workflows.moveLabel(edit, { label: 'production', version: 1 });
    await this.workflows.moveLabel(edit, { label: 'staging', version: 2, reason: 'an example' });
  }
}
