import { Module } from '@nestjs/common';

import { AgentsModule } from '../agents/agents.module.js';
import { TemplatesModule } from '../templates/templates.module.js';
import { WorkflowController } from './workflow.controller.js';
import { WorkflowService } from './workflow.service.js';

/** Workflow definitions: checking them. */
@Module({
  imports: [AgentsModule, TemplatesModule],
  controllers: [WorkflowController],
  providers: [WorkflowService],
  exports: [WorkflowService],
})
export class WorkflowsModule {}
