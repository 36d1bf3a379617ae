import { Injectable, type OnModuleInit } from '@nestjs/common';

import { WorkflowReferenceChecks } from '../workflows/reference.check.js';
import { ScheduleStore } from './schedule.store.js';

/** How many schedules are named as users of one workflow. */
const MAX_NAMED = 100;

/** Tells those who own workflows which schedules start them. */
@Injectable()
export class ScheduleUses implements OnModuleInit {
  constructor(
    private readonly store: ScheduleStore,
    private readonly workflows: WorkflowReferenceChecks,
  ) {}

  onModuleInit(): void {
    this.workflows.register({
      referencesTo: async (namespace, { id, name }) => {
        const ids = await this.store.startersOf(namespace, [id, name], MAX_NAMED);
        return ids.map((scheduleId) => ({ kind: 'schedule', id: scheduleId }));
      },
    });
  }
}
