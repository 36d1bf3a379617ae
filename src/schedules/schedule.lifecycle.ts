import { Injectable } from '@nestjs/common';

import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { SCHEDULE_DUTY, ScheduleLoop } from './schedule.loop.js';

/** Fires where this process has the duty to. */
@Injectable()
export class ScheduleLifecycle implements Duty {
  readonly name = SCHEDULE_DUTY;

  constructor(
    private readonly loop: ScheduleLoop,
    roster: DutyRoster,
  ) {
    roster.register(this);
  }

  /** Not awaited: what was missed while the service was down must not hold up its start. */
  start(): void {
    void this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  wake(scheduleId?: string): void {
    void (scheduleId === undefined ? this.loop.lookAtAll() : this.loop.attend(scheduleId));
  }
}
