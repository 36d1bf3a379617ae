import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { isoOf } from '../kernel/time.js';
import { Clock } from '../platform/clock/clock.js';
import { StorageConfig } from '../platform/config/app.config.js';
import {
  EXAMPLE_COMPLETED_RUN,
  EXAMPLE_LARGE_RUN,
  EXAMPLE_OLD_RUN,
  EXAMPLE_PAUSED_RUN,
  exampleDefinition,
  largeDefinition,
} from './examples.js';
import { RunService, type StartRequest } from './run.service.js';

const REQUEST: StartRequest = {
  namespace: 'default',
  definition: exampleDefinition,
  input: { name: 'Ada' },
  tags: ['example'],
};

/** Ends with the first turn that is taken. */
const OLD_REQUEST: StartRequest = {
  ...REQUEST,
  definition: { name: 'old', steps: [{ id: 'sum', kind: 'transform', expression: '1 + 1' }] },
};

/**
 * Runs with fixed ids, so that every example of the API can be executed on a fresh start: one that completes, one that
 * is paused, one with a large output, one to be deleted. Made on the embedded record only, once.
 */
@Injectable()
export class ExampleRunsService implements OnApplicationBootstrap {
  constructor(
    private readonly runs: RunService,
    private readonly storage: StorageConfig,
    private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    await this.runs.plant(REQUEST, EXAMPLE_COMPLETED_RUN);
    await this.runs.plant({ ...REQUEST, definition: largeDefinition }, EXAMPLE_LARGE_RUN);
    await this.runs.plant(OLD_REQUEST, EXAMPLE_OLD_RUN);
    await this.runs.plant(REQUEST, EXAMPLE_PAUSED_RUN, (runId) => [
      {
        runId,
        seq: 2,
        type: 'run.paused',
        at: isoOf(this.clock.now()),
        data: { reason: 'an example to resume' },
      },
    ]);
  }
}
