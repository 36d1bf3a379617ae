import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { WakeLoop, type NextLook } from '../platform/clock/wake-loop.js';
import { EngineConfig } from '../platform/config/app.config.js';
import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { BlobStore } from '../platform/ports/blob.store.js';
import { PurgeService } from './purge.service.js';
import { RetentionStore, type EndPlace, type RunName } from './retention.store.js';
import { RunCatalogue } from './run.catalogue.js';

const DAY_MS = 86_400_000;

/** How much is deleted of one sort before something else gets its turn. */
const BATCH = 50;

/** When runs are looked at again that somebody has still to read or to be told of. */
const HELD_BACK_MS = 60_000;

/**
 * Deletes runs that ended `RUN_RETENTION_DAYS` ago, one after the other, behind everything else.
 *
 * Nothing is asked in between: the earliest end in the record says when the next run is old enough.
 */
@Injectable()
export class RetentionLoop implements Duty {
  readonly name = 'retention';
  private readonly logger = new Logger(RetentionLoop.name);
  private readonly retentionMs: number;
  private isStopped = true;
  private readonly loop = new WakeLoop({
    look: () => this.lookOnce(),
    now: () => this.clock.now(),
    onError: (err) => {
      this.logger.warn({ msg: 'runs that ended long ago could not be deleted', err });
    },
  });

  constructor(
    private readonly store: RetentionStore,
    private readonly purges: PurgeService,
    private readonly catalogue: RunCatalogue,
    private readonly blobs: BlobStore,
    private readonly clock: Clock,
    config: EngineConfig,
    private readonly roster: DutyRoster,
  ) {
    this.retentionMs = config.runRetentionDays * DAY_MS;
    roster.register(this);
  }

  start(): void {
    this.isStopped = false;
    void this.loop.start();
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return this.loop.stop();
  }

  wake(): void {
    void this.look();
  }

  /** Somebody has deleted a run: what of it goes later goes here, or where the duty is. */
  ask(runId: string): void {
    void this.look();
    this.roster.tell(this.name, runId);
  }

  /** Looks for what may go now; resolves when it is gone. Never rejects. */
  look(): Promise<void> {
    return this.loop.look();
  }

  private async lookOnce(): Promise<NextLook> {
    const before = this.clock.now() - this.retentionMs;
    await this.releaseBlobs();
    while (!this.isStopped && (await this.store.forget(before, BATCH)) === BATCH);
    const { hasPurged, isHeldBack, nextEndAt } = await this.purgeOld(before);
    if (hasPurged) return 'now'; // runs that they started are old enough as well
    const { purgedAt, blobsAt } = await this.store.next();
    // What ends from now on is not old enough before that.
    const instants = [
      this.clock.now() + (isHeldBack ? HELD_BACK_MS : this.retentionMs),
      ...(nextEndAt === undefined ? [] : [nextEndAt + this.retentionMs + 1]),
      ...(purgedAt === undefined ? [] : [purgedAt + this.retentionMs + 1]),
      ...(blobsAt === undefined ? [] : [blobsAt]),
    ];
    return Math.min(...instants);
  }

  private async purgeOld(
    before: number,
  ): Promise<{ readonly hasPurged: boolean; readonly isHeldBack: boolean; readonly nextEndAt?: number }> {
    let purged = 0;
    let heldBack = 0;
    for (let after: EndPlace | undefined; ;) {
      const { runs, nextEndAt } = await this.store.due(before, BATCH, after);
      for (const { run, isTold } of runs) {
        if (this.isStopped) break;
        const isPurged = !isTold && (await this.purges.purge(run)) === 'purged';
        if (isPurged) purged += 1;
        else heldBack += 1;
      }
      const last = runs.at(-1);
      if (last === undefined || runs.length < BATCH || this.isStopped) {
        if (purged > 0) this.logger.log({ msg: 'runs that ended long ago are deleted', runs: purged });
        return {
          ...{ hasPurged: purged > 0, isHeldBack: heldBack > 0 },
          ...(nextEndAt !== undefined && { nextEndAt }),
        };
      }
      after = { endedAt: last.endedAt, runId: last.run.id };
    }
  }

  private async releaseBlobs(): Promise<void> {
    for (let isFull = true; isFull && !this.isStopped;) {
      const due = await this.store.blobsDue(this.clock.now(), BATCH);
      for (const run of due) await this.releaseBlobsOf(run);
      isFull = due.length === BATCH;
    }
  }

  /** A run of the same id may have been made since: what it refers to is its own. */
  private async releaseBlobsOf(name: RunName): Promise<void> {
    const { namespace, runId } = name;
    const isBack = (await this.catalogue.find(namespace, runId)) !== undefined;
    if (!isBack) await this.blobs.release(namespace, runId, this.clock.now());
    await this.store.blobsGone(name);
  }
}
