import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { StorageConfig } from '../platform/config/app.config.js';
import type { ScheduledRun } from './domain/schedule.js';
import { exampleDefinition } from '../runs/examples.js';
import { EXAMPLE_OLD_SCHEDULE, EXAMPLE_SCHEDULE } from './examples.js';
import { ScheduleService, type WrittenSchedule } from './schedule.service.js';

const NAMESPACE = 'default';
const NOTE = 'an example to resume';

/** It says what it runs itself, so that it is in nobody's way. */
const RUN: ScheduledRun = { definition: exampleDefinition, input: { name: 'Ada' }, tags: ['example'] };

const WEEKDAYS: WrittenSchedule = {
  name: 'weekday mornings',
  rule: { cron: '0 9 * * 1-5', timezone: 'Europe/Berlin', jitterMs: 0 },
  policy: { jitterMs: 0, overlap: 'skip', catchUpWindowMs: 3_600_000, pauseOnFailure: false },
  run: RUN,
};

/**
 * Two schedules with fixed ids, both paused, so that every example of the API can be executed on a fresh start. Made on
 * the embedded record only, while it has no schedule: what somebody deleted stays deleted.
 */
@Injectable()
export class ExampleSchedulesService implements OnApplicationBootstrap {
  constructor(
    private readonly schedules: ScheduleService,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.schedules.list(NAMESPACE, {}, { limit: 1 });
    if (items.length > 0) return;
    await this.plant(EXAMPLE_SCHEDULE, WEEKDAYS);
    await this.plant(EXAMPLE_OLD_SCHEDULE, { ...WEEKDAYS, name: 'mornings of old' });
  }

  private async plant(id: string, written: WrittenSchedule): Promise<void> {
    await this.schedules.create(NAMESPACE, written, { id, paused: { note: NOTE } });
  }
}
