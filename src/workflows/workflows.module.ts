import { Module } from '@nestjs/common';

import { AgentsModule } from '../agents/agents.module.js';
import { YamlService } from '../platform/yaml/yaml.service.js';
import { TemplatesModule } from '../templates/templates.module.js';
import { ExampleWorkflowsService } from './example-workflows.service.js';
import { WorkflowReferenceChecks } from './reference.check.js';
import { StoredWorkflowService } from './stored-workflow.service.js';
import { WorkflowGraphController } from './workflow-graph.controller.js';
import { WorkflowSchemaController } from './workflow-schema.controller.js';
import { WorkflowSource } from './workflow-source.js';
import { WorkflowTransferController } from './workflow-transfer.controller.js';
import { WorkflowUses } from './workflow-uses.js';
import { WorkflowVersionController } from './workflow-version.controller.js';
import { WorkflowController } from './workflow.controller.js';
import { WorkflowService } from './workflow.service.js';

/** Workflow definitions: checking them, and keeping them under names with versions and labels. */
@Module({
  imports: [AgentsModule, TemplatesModule],
  controllers: [
    WorkflowController,
    WorkflowGraphController,
    WorkflowSchemaController,
    WorkflowTransferController,
    WorkflowVersionController,
  ],
  providers: [
    ExampleWorkflowsService,
    StoredWorkflowService,
    WorkflowReferenceChecks,
    WorkflowService,
    WorkflowSource,
    WorkflowUses,
    YamlService,
  ],
  exports: [StoredWorkflowService, WorkflowReferenceChecks, WorkflowService],
})
export class WorkflowsModule {}
