import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { StorageConfig } from '../platform/config/app.config.js';
import { IdSource } from '../platform/ids/id.source.js';
import { exampleInput, EXAMPLE_TOKENS } from './task-examples.js';
import { hashOfToken } from './task-token.js';
import { TaskStore } from './task.store.js';

/** No agent can have this key: what these tokens open is never work of anybody. */
const EXAMPLE_AGENT = '(example)';
const NAMESPACE = 'default';
const TEN_YEARS_MS = 315_360_000_000;

/**
 * Leased tasks with fixed tokens, so that every example of the API can be executed on a fresh start. Made on the
 * embedded record only, where they are missing.
 */
@Injectable()
export class ExampleTasksService implements OnApplicationBootstrap {
  constructor(
    private readonly tasks: TaskStore,
    private readonly storage: StorageConfig,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    for (const token of Object.values(EXAMPLE_TOKENS)) await this.plant(hashOfToken(token));
  }

  private async plant(tokenHash: string): Promise<void> {
    if ((await this.tasks.findByToken(NAMESPACE, tokenHash)) !== undefined) return;
    const id = this.ids.next('tsk');
    await this.tasks.create({
      id,
      namespace: NAMESPACE,
      agentKey: EXAMPLE_AGENT,
      lineage: id,
      input: exampleInput,
      idempotencyKey: id,
      attempt: 1,
      heartbeatTimeoutMs: TEN_YEARS_MS,
      maxDeliveries: 1,
      createdAt: this.clock.now(),
    });
    await this.tasks.lease({ namespace: NAMESPACE, agentKey: EXAMPLE_AGENT, tokenHashes: [tokenHash] });
  }
}
