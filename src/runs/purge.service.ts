import { setTimeout as delay } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { isoOf } from '../kernel/time.js';
import { Clock } from '../platform/clock/clock.js';
import { BLOB_GRACE_MS } from '../platform/ports/blob.store.js';
import { runErrors } from './domain/run.errors.js';
import { RunFolds } from './engine/run-folds.js';
import { LogFollowers } from './log-followers.js';
import { RetentionStore, type PurgedRun, type PurgeResult } from './retention.store.js';
import { runItemOf } from './run-item.js';
import { RunCatalogue, type RunRow } from './run.catalogue.js';
import { runNotFound } from './state.reader.js';

/** How long somebody who deletes a run waits for those who have not read all of it. */
const READ_WITHIN_MS = 5_000;
const ASK_AGAIN_MS = 100;

/** How many children are looked at together. */
const CHILDREN_AT_ONCE = 100;

/** Deletes runs that have ended, and the runs that they started. */
@Injectable()
export class PurgeService {
  constructor(
    private readonly store: RetentionStore,
    private readonly catalogue: RunCatalogue,
    private readonly followers: LogFollowers,
    private readonly clock: Clock,
    private readonly folds: RunFolds,
  ) {}

  /**
   * Deletes a run that has ended. Its children that have ended go with it; those that have not, when their own time has
   * come. Nothing of it is deleted that a follower of the log has not read.
   */
  async purge(run: RunRow): Promise<PurgeResult> {
    const result = await this.purgeAlone(run);
    if (result === 'purged') await this.purgeChildren(run);
    return result;
  }

  /**
   * Deletes a run because somebody asks; waits at most 5 s for followers of the log. What is still to be delivered of
   * its events is not delivered any more.
   *
   * @throws AppError `run.not-found`, `run.not-ended`, `run.has-parent`, `run.unread`
   */
  async delete(namespace: string, runId: string): Promise<void> {
    const end = this.clock.monotonic() + READ_WITHIN_MS;
    for (;;) {
      const run = await this.requireEnded(namespace, runId);
      const result = await this.purge(run);
      if (result === 'purged') return;
      if (result === 'nested') throw hasParent(run);
      if (this.clock.monotonic() > end) throw isUnread(runId);
      await delay(ASK_AGAIN_MS);
    }
  }

  private async requireEnded(namespace: string, runId: string): Promise<RunRow> {
    const run = await this.catalogue.find(namespace, runId);
    if (run === undefined) throw runNotFound(runId);
    const { status, endedAt } = run.summary;
    if (endedAt !== undefined) return run;
    const message = `run ${runId} is ${status}: cancel it, and delete it when it has ended`;
    throw AppError.of(runErrors['run.not-ended'], message, { details: { status } });
  }

  private async purgeAlone(run: RunRow): Promise<PurgeResult> {
    const at = this.clock.now();
    const blobsAt = Math.max(at, (run.summary.endedAt ?? at) + BLOB_GRACE_MS + 1);
    const cursors = await this.followers.cursors();
    const result = await this.store.purge({ run, last: lastOf(run, at), cursors, at, blobsAt });
    if (result === 'purged') this.folds.forget(run.namespace, run.id, run.lastSeq);
    return result;
  }

  private async purgeChildren({ namespace, id: runId }: RunRow): Promise<void> {
    for (let isFull = true; isFull;) {
      const children = await this.store.endedChildren({ namespace, runId }, CHILDREN_AT_ONCE);
      let purged = 0;
      for (const child of children) if ((await this.purge(child)) === 'purged') purged += 1;
      isFull = children.length === CHILDREN_AT_ONCE && purged > 0;
    }
  }
}

/** What a client is told that asks for events of the run afterwards. */
function lastOf(run: RunRow, purgedAt: number): PurgedRun {
  const { links: _, ...item } = runItemOf(run);
  return { ...item, purgedAt: isoOf(purgedAt) };
}

function hasParent({ id, parentId = '' }: RunRow): AppError {
  const message = `run ${id} works for run ${parentId}: delete that one, and this one goes with it`;
  return AppError.of(runErrors['run.has-parent'], message, { details: { parentId } });
}

function isUnread(runId: string): AppError {
  const message = `not all events of run ${runId} are counted and turned into deliveries yet`;
  return AppError.of(runErrors['run.unread'], message, { retryAfterMs: READ_WITHIN_MS });
}
