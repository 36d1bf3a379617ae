import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { WakeLoop, type NextLook } from '../platform/clock/wake-loop.js';
import { FireExecutor } from './fire.executor.js';
import { ScheduleStore } from './schedule.store.js';

/** Schedules attended to beside each other. */
const MAX_AT_ONCE = 50;

/** Who fires by themselves: one process of all. */
export const SCHEDULE_DUTY = 'schedules';

/**
 * Finds the schedules that need a look, when there is a reason to: one is due, one was changed, one had work under way
 * when this process started. With none of these it sleeps, on one timer set to the earliest due time.
 */
@Injectable()
export class ScheduleLoop {
  private readonly logger = new Logger(ScheduleLoop.name);
  private readonly loop = new WakeLoop({
    look: () => this.lookOnce(),
    now: () => this.clock.wall(),
    onError: (err) => {
      this.isWholeAsked = true;
      this.logger.warn({ msg: 'looking after schedules failed', err });
    },
  });
  /** Whether what is open has to be looked at as well as what is due. */
  private isWholeAsked = false;

  constructor(
    private readonly store: ScheduleStore,
    private readonly executor: FireExecutor,
    private readonly clock: Clock,
  ) {}

  /** Begins to fire; resolves when all that is due and open has been attended to once. */
  async start(): Promise<void> {
    this.executor.begin((error) => {
      if (error === undefined) void this.look();
      else this.loop.retry(error);
    });
    this.isWholeAsked = true;
    await this.loop.start();
  }

  /** Fires nothing any more; resolves when what was under way has ended. */
  async stop(): Promise<void> {
    const stopped = this.loop.stop();
    await this.executor.end();
    await stopped;
  }

  /** Looks at what is due and at what is open: anything may have changed. */
  lookAtAll(): Promise<void> {
    this.isWholeAsked = true;
    return this.loop.look();
  }

  /** Looks at what is due now, or right after the look under way; resolves when that is done. */
  look(): Promise<void> {
    return this.loop.look();
  }

  /**
   * Attends to a schedule that was changed, whoever has the duty, and sets the timer anew. What fails is tried again soon: the change is kept.
   */
  async attend(scheduleId: string): Promise<void> {
    try {
      await this.executor.attend(scheduleId);
      await this.look();
    } catch (error) {
      this.loop.retry(error);
    }
  }

  private async lookOnce(): Promise<NextLook> {
    if (this.isWholeAsked) {
      await this.attendAll(await this.store.listOpen());
      this.isWholeAsked = false;
    }
    const { ids, nextWakeAt } = await this.store.due(this.clock.wall(), MAX_AT_ONCE);
    if (ids.length === 0) return nextWakeAt;
    await this.attendAll(ids);
    return 'now';
  }

  private async attendAll(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += MAX_AT_ONCE) {
      const some = ids.slice(from, from + MAX_AT_ONCE);
      const ends = await Promise.allSettled(some.map((id) => this.executor.attend(id)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }
  }
}
