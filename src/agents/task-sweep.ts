import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';

import { failureOf, type Failure } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
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
 * While nothing is leased, wanted or waited for, nothing is asked. A process looks after the leases that it gave; the
 * one that has the duty looks after those of processes that have ended, and deletes.
 */
@Injectable()
export class TaskSweep implements Duty, OnModuleDestroy {
  readonly name = 'tasks';
  private readonly logger = new Logger(TaskSweep.name);
  private alarm: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  private purging: NodeJS.Timeout | undefined;
  private interests = 0;
  private isOver = false;

  constructor(
    private readonly tasks: TaskStore,
    private readonly feed: TaskFeed,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
    roster: DutyRoster,
  ) {
    roster.register(this);
  }

  async start(): Promise<void> {
    this.purging = setInterval(() => void this.purge(), PURGE_EVERY_MS).unref();
    await this.sweep();
  }

  stop(): void {
    clearInterval(this.purging);
  }

  wake(): void {
    void this.sweep();
  }

  onModuleDestroy(): void {
    this.isOver = true;
    this.stop();
    clearTimeout(this.alarm?.handle);
  }

  /** Looks at the leases in `inMs` milliseconds at the latest. */
  lookIn(inMs: number): void {
    const at = this.clock.monotonic() + Math.max(inMs, 0);
    if (this.isOver || (this.alarm !== undefined && this.alarm.at <= at)) return;
    clearTimeout(this.alarm?.handle);
    this.alarm = { at, handle: setTimeout(() => void this.sweep(), at - this.clock.monotonic()).unref() };
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
    clearTimeout(this.alarm?.handle);
    this.alarm = undefined;
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
