import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { StorageConfig } from '../platform/config/app.config.js';
import { AgentEditService } from './agent-edit.service.js';
import { AgentStore } from './agent.store.js';
import { EXAMPLE_AGENT, exampleAgents } from './examples.js';

const EDIT = { namespace: 'default', reference: EXAMPLE_AGENT, author: 'anonymous' };

/**
 * Agents with fixed ids, so that every example of the API can be executed on a fresh start. Made on the embedded
 * record only, while it has no agent: what somebody deleted stays deleted.
 */
@Injectable()
export class ExampleAgentsService implements OnApplicationBootstrap {
  constructor(
    private readonly agents: AgentEditService,
    private readonly store: AgentStore,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.store.list(EDIT.namespace, {}, { limit: 1 });
    if (items.length === 0) await this.plant();
  }

  private async plant(): Promise<void> {
    for (const { id, key, versions } of exampleAgents) {
      const [first, ...later] = versions;
      if (first === undefined) continue;
      await this.agents.create(EDIT, { id, key, body: first });
      for (const body of later) await this.agents.update({ ...EDIT, reference: id }, () => body);
    }
    await this.agents.moveLabel(EDIT, { label: 'production', version: 1 });
    await this.agents.moveLabel(EDIT, { label: 'staging', version: 2, reason: 'an example' });
  }
}
