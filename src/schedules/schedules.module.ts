import { Module } from '@nestjs/common';

import { RunsModule } from '../runs/runs.module.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { ExampleSchedulesService } from './example-schedules.service.js';
import { FireExecutor } from './fire.executor.js';
import { ScheduleFireController } from './schedule-fire.controller.js';
import { SchedulePlans } from './schedule-plans.js';
import { ScheduleUses } from './schedule-uses.js';
import { ScheduleController } from './schedule.controller.js';
import { ScheduleLifecycle } from './schedule.lifecycle.js';
import { ScheduleLoop } from './schedule.loop.js';
import { ScheduleService } from './schedule.service.js';

/** Schedules: rules that start runs. */
@Module({
  imports: [RunsModule, WorkflowsModule],
  controllers: [ScheduleController, ScheduleFireController],
  providers: [
    ExampleSchedulesService,
    FireExecutor,
    ScheduleLifecycle,
    ScheduleLoop,
    SchedulePlans,
    ScheduleService,
    ScheduleUses,
  ],
})
export class SchedulesModule {}
