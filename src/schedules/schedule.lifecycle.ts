import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { DrainService, type DrainHook } from '../platform/lifecycle/drain.service.js';
import { ScheduleLoop } from './schedule.loop.js';

/** Begins to fire once the application has started, and ends before it does. */
@Injectable()
export class ScheduleLifecycle implements OnApplicationBootstrap, OnModuleDestroy, DrainHook {
  readonly name = 'schedules';

  constructor(
    private readonly loop: ScheduleLoop,
    drains: DrainService,
  ) {
    drains.register(this);
  }

  /** Not awaited: what was missed while the service was down must not hold up its start. */
  onApplicationBootstrap(): void {
    void this.loop.start();
  }

  drain(): Promise<void> {
    return this.loop.stop();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }
}
