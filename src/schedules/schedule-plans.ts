import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import type { FireChange, FirePlan } from './domain/fire-plan.js';
import { scheduleErrors } from './domain/schedule.errors.js';
import { ScheduleStore } from './schedule.store.js';

const DAY_MS = 86_400_000;

/** How often a change is decided anew because somebody else was faster. Each time somebody else got on. */
const MAX_TRIES = 50;

/** What becomes of a plan; undefined leaves it as it is. */
export type DecideChange = (plan: FirePlan, now: number) => Promise<FireChange> | FireChange;

/** Changes schedules with their fires: reads, decides, and saves unless somebody else has changed them meanwhile. */
@Injectable()
export class SchedulePlans {
  constructor(
    private readonly store: ScheduleStore,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
  ) {}

  /**
   * The plan after the change, which is kept then; undefined when the schedule does not exist.
   *
   * @param decide called again where somebody else was faster
   * @throws AppError `schedule.contended`, and what `decide` throws
   */
  async change(scheduleId: string, decide: DecideChange): Promise<FireChange | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const plan = await this.store.findPlan(scheduleId);
      if (plan === undefined) return undefined;
      const now = this.clock.wall();
      const change = await decide(plan, now);
      const { revision } = plan.schedule;
      if (isSame(plan, change)) return change;
      const schedule = { ...change.schedule, revision: revision + 1 };
      const keepFrom = now - this.config.runRetentionDays * DAY_MS;
      if (await this.store.save({ schedule, fires: change.fires, seen: revision, keepFrom }))
        return { ...change, schedule };
    }
    throw AppError.of(
      scheduleErrors['schedule.contended'],
      'The schedule was changed by others each time that this change was about to be kept. Try again',
    );
  }
}

function isSame({ schedule }: FirePlan, change: FireChange): boolean {
  return change.fires.length === 0 && JSON.stringify(schedule) === JSON.stringify(change.schedule);
}
