import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { failureOf } from '../kernel/failure.js';
import { isoOf } from '../kernel/time.js';
import { Clock } from '../platform/clock/clock.js';
import { StorageConfig } from '../platform/config/app.config.js';
import { runErrors } from './domain/run.errors.js';
import type { RunEvent } from './domain/run.events.js';
import {
  EXAMPLE_COMPLETED_RUN,
  EXAMPLE_FAILED_RUN,
  EXAMPLE_HELD_RUN,
  EXAMPLE_LARGE_RUN,
  EXAMPLE_OLD_RUN,
  EXAMPLE_PAUSED_RUN,
  EXAMPLE_SNAPSHOT,
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
 * Runs with fixed ids, so that every example of the API can be executed on a fresh start: one that completes, one with a
 * large output, one to be deleted, one that has failed, and two that are paused. Made on the embedded record only, once.
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
    const at = isoOf(this.clock.now());
    await this.runs.plant(REQUEST, EXAMPLE_PAUSED_RUN, (runId) => [
      { runId, seq: 2, type: 'run.paused', at, data: { reason: 'an example to resume' } },
    ]);
    await this.runs.plant(REQUEST, EXAMPLE_FAILED_RUN, (runId) => failure(runId, at));
    const held = { ...REQUEST, context: { locale: 'en' } };
    await this.runs.plant(held, EXAMPLE_HELD_RUN, (runId) => [
      { runId, seq: 2, type: 'snapshot.created', at, data: { name: EXAMPLE_SNAPSHOT } },
      { runId, seq: 3, type: 'run.paused', at, data: { reason: 'an example of a context' } },
    ]);
  }
}

function failure(runId: string, at: string): readonly RunEvent[] {
  const failed = failureOf(runErrors['run.timed-out'], 'an example to retry');
  return [
    { runId, seq: 2, type: 'run.started', at, data: {} },
    { runId, seq: 3, type: 'run.failed', at, data: { status: 'timed_out', failure: failed } },
  ];
}
