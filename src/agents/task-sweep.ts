import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { failureOf, type Failure } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { taskErrors } from './task.errors.js';
import { TaskFeed } from './task.feed.js';
import { TaskStore } from './task.store.js';

/** The longest sleep while tasks are wanted or waited for here: another process may have leased one and ended. */
const LONGEST_SLEEP_MS = 30_000;
const RETRY_MS = 1_000;
const PURGE_EVERY_MS = 10 * 60_000;
const PURGE_BATCH = 1_000;
const DAY_MS = 86_400_000;

const LOST: Failure = failureOf(
  taskErrors['task.heartbeat-lost'],
  'the workers that took the task sent neither a heartbeat nor an answer in time',
);

/**
 * Takes back leases that ran out, by one timer that is set to the next one, and deletes what ended long ago.
 *
 * While nothing is leased, wanted or waited for, nothing is asked.
 */
@Injectable()
export class TaskSweep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(TaskSweep.name);
  private wake: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  private purging: NodeJS.Timeout | undefined;
  private interests = 0;
  private isOver = false;

  constructor(
    private readonly tasks: TaskStore,
    private readonly feed: TaskFeed,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.purging = setInterval(() => void this.purge(), PURGE_EVERY_MS).unref();
    await this.sweep();
  }

  onModuleDestroy(): void {
    this.isOver = true;
    clearInterval(this.purging);
    clearTimeout(this.wake?.handle);
  }

  /** Looks at the leases in `inMs` milliseconds at the latest. */
  lookIn(inMs: number): void {
    const at = this.clock.monotonic() + Math.max(inMs, 0);
    if (this.isOver || (this.wake !== undefined && this.wake.at <= at)) return;
    clearTimeout(this.wake?.handle);
    this.wake = { at, handle: setTimeout(() => void this.sweep(), at - this.clock.monotonic()).unref() };
  }

  /** Keeps looking, now and then, until the answer is called: tasks of other processes matter here. */
  keepLooking(): () => void {
    this.interests += 1;
    this.lookIn(LONGEST_SLEEP_MS);
    return () => {
      this.interests -= 1;
    };
  }

  /** Takes back what has run out, tells whom it concerns, and sets the timer. Never rejects. */
  async sweep(): Promise<void> {
    clearTimeout(this.wake?.handle);
    this.wake = undefined;
    try {
      const { requeued, failed, nextInMs } = await this.tasks.expire(LOST);
      for (const { namespace, agentKey } of requeued) this.feed.tellWork(namespace, agentKey);
      for (const { id } of failed) this.feed.tellTask(id);
      if (nextInMs !== undefined) this.lookIn(Math.min(nextInMs, LONGEST_SLEEP_MS));
      else if (this.interests > 0) this.lookIn(LONGEST_SLEEP_MS);
    } catch (error) {
      this.logger.warn({ msg: 'The leases of tasks could not be looked at', err: error });
      this.lookIn(RETRY_MS);
    }
  }

  private async purge(): Promise<void> {
    const endedBefore = this.clock.now() - this.config.runRetentionDays * DAY_MS;
    try {
      while ((await this.tasks.purge(endedBefore, PURGE_BATCH)) === PURGE_BATCH);
    } catch (error) {
      this.logger.warn({ msg: 'Old tasks could not be deleted', err: error });
    }
  }
}
