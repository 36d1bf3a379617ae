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
import { RunCatalogue } from './run.catalogue.js';
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

interface ExampleRun {
  readonly runId: string;
  /** @default REQUEST */
  readonly request?: StartRequest;
  /** What follows event 1. @default nothing */
  readonly further?: readonly RunEvent[];
}

/**
 * Runs with fixed ids, so that every example of the API can be executed on a fresh start: one that completes, one with a
 * large output, one to be deleted, one that has failed, and two that are paused. Made on the embedded record only, once.
 */
@Injectable()
export class ExampleRunsService implements OnApplicationBootstrap {
  constructor(
    private readonly runs: RunService,
    private readonly catalogue: RunCatalogue,
    private readonly storage: StorageConfig,
    private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const examples = examplesAt(isoOf(this.clock.now()));
    const rows = await this.catalogue.findMany(
      REQUEST.namespace,
      examples.map(({ runId }) => runId),
    );
    const present = new Set(rows.map(({ id }) => id));
    for (const { runId, request = REQUEST, further = [] } of examples)
      if (!present.has(runId)) await this.runs.plant(request, runId, further);
  }
}

function examplesAt(at: string): readonly ExampleRun[] {
  const failure = failureOf(runErrors['run.timed-out'], 'an example to retry');
  return [
    { runId: EXAMPLE_COMPLETED_RUN },
    { runId: EXAMPLE_LARGE_RUN, request: { ...REQUEST, definition: largeDefinition } },
    { runId: EXAMPLE_OLD_RUN, request: OLD_REQUEST },
    {
      runId: EXAMPLE_PAUSED_RUN,
      further: [paused(EXAMPLE_PAUSED_RUN, 2, at, 'an example to resume')],
    },
    {
      runId: EXAMPLE_FAILED_RUN,
      further: [
        { runId: EXAMPLE_FAILED_RUN, seq: 2, type: 'run.started', at, data: {} },
        { runId: EXAMPLE_FAILED_RUN, seq: 3, type: 'run.failed', at, data: { status: 'timed_out', failure } },
      ],
    },
    {
      runId: EXAMPLE_HELD_RUN,
      request: { ...REQUEST, context: { locale: 'en' } },
      further: [
        { runId: EXAMPLE_HELD_RUN, seq: 2, type: 'snapshot.created', at, data: { name: EXAMPLE_SNAPSHOT } },
        paused(EXAMPLE_HELD_RUN, 3, at, 'an example of a context'),
      ],
    },
  ];
}

function paused(runId: string, seq: number, at: string, reason: string): RunEvent {
  return { runId, seq, type: 'run.paused', at, data: { reason } };
}
