import { Module } from '@nestjs/common';

import { RunsModule } from '../runs/runs.module.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { OrchestrationController, startControllers } from './orchestration.controller.js';
import { PatternService } from './pattern.service.js';

/** Patterns: one call for the shapes of work that people use every day. */
@Module({
  imports: [RunsModule, WorkflowsModule],
  controllers: [...startControllers, OrchestrationController],
  providers: [PatternService],
  exports: [PatternService],
})
export class PatternsModule {}
