import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { IdSource } from '../platform/ids/id.source.js';
import { refusalOfRetry } from './domain/retry-run.js';
import { rewoundContext } from './domain/rewind.js';
import type { RetryRequest } from './domain/run.commands.js';
import { RunLoader } from './engine/run.loader.js';
import { RunControlService, type ControlAnswer } from './run-control.service.js';
import { RunReader } from './run.reader.js';
import { runNotFound } from './state.reader.js';

/** What a caller asks for. */
export type RetryAsked = Pick<RetryRequest, 'fromStep' | 'by' | 'reason'>;

/** Retrying runs that have ended badly. */
@Injectable()
export class RunRetryService {
  constructor(
    private readonly control: RunControlService,
    private readonly reader: RunReader,
    private readonly loader: RunLoader,
    private readonly ids: IdSource,
  ) {}

  /**
   * Opens a run again and waits until that is recorded, at most 2 s.
   *
   * @throws AppError `run.not-found`, `run.not-retryable`, `step.not-found`
   */
  async retry(namespace: string, runId: string, asked: RetryAsked): Promise<ControlAnswer> {
    const row = await this.reader.requireRow(namespace, runId);
    const request = await this.requestOf(namespace, runId, asked);
    const command = { type: 'retry', id: this.ids.next('cmd'), ...request } as const;
    const isRecorded = await this.control.record(
      row,
      command,
      ({ type, data }) => type === 'run.retried' && data.fromStep === asked.fromStep,
    );
    return { run: await this.reader.run(namespace, runId), isRecorded };
  }

  /** What the run is asked for, computed from its log: refused when that has gone on meanwhile. */
  private async requestOf(namespace: string, runId: string, asked: RetryAsked): Promise<RetryRequest> {
    const log = await this.loader.wholeLog(namespace, runId);
    if (log === undefined) throw runNotFound(runId);
    const { own, state } = log;
    const refusal = refusalOfRetry(state, asked);
    if (refusal !== undefined) throw new AppError(refusal);
    const events = own.map(({ event }) => event);
    const context = rewoundContext(events, state, asked.fromStep);
    return { ...asked, expectedSeq: own.length, ...(context && { context }) };
  }
}
