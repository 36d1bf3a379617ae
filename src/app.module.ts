import { Module, type DynamicModule, type Type } from '@nestjs/common';

import { AccessModule } from './access/access.module.js';
import { contextErrors } from './context/domain/context.errors.js';
import { secretErrors } from './access/secret.errors.js';
import { agentErrors } from './agents/agent.errors.js';
import { codeErrors } from './agents/providers/code/code.errors.js';
import { CodeModule } from './agents/providers/code/code.module.js';
import { httpAgentErrors } from './agents/providers/http/http.errors.js';
import { HttpAgentModule } from './agents/providers/http/http.module.js';
import { taskErrors } from './agents/task.errors.js';
import { llmErrors } from './agents/providers/llm/llm.errors.js';
import { strudelErrors } from './agents/providers/strudel/strudel.errors.js';
import { LlmModule } from './agents/providers/llm/llm.module.js';
import { WorkflowAgentModule } from './agents/providers/workflow/workflow.module.js';
import { StrudelModule } from './agents/providers/strudel/strudel.module.js';
import { approvalErrors } from './approvals/approval.errors.js';
import { ApprovalsModule } from './approvals/approvals.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { mcpErrors } from './agents/providers/mcp/mcp.errors.js';
import { ToolsModule } from './agents/tools.module.js';
import { socketErrors } from './events/socket.errors.js';
import { expressionErrors } from './expressions/expression.errors.js';
import { ChildRunInvoker } from './runs/child-run.invoker.js';
import { runErrors } from './runs/domain/run.errors.js';
import { simulationErrors } from './runs/simulation/simulation.errors.js';
import { HealthModule } from './health/health.module.js';
import { fieldErrors } from './kernel/field.errors.js';
import { metricErrors } from './metrics/domain/metric.errors.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { EventsModule } from './events/events.module.js';
import { patternErrors } from './patterns/domain/pattern.errors.js';
import { PatternsModule } from './patterns/patterns.module.js';
import { RunsModule } from './runs/runs.module.js';
import { scheduleErrors } from './schedules/domain/schedule.errors.js';
import { SchedulesModule } from './schedules/schedules.module.js';
import { storageErrors } from './storage/sql/storage.errors.js';
import { StorageModule } from './storage/storage.module.js';
import { templateErrors } from './templates/domain/template.errors.js';
import { TemplatesModule } from './templates/templates.module.js';
import { webhookErrors } from './webhooks/domain/webhook.errors.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';
import { definitionErrors } from './workflows/domain/definition.errors.js';
import { workflowErrors } from './workflows/domain/workflow.errors.js';
import { WorkflowsModule } from './workflows/workflows.module.js';
import type { AppConfig } from './platform/config/app.config.js';
import { authErrors } from './platform/auth/auth.errors.js';
import { AuthModule } from './platform/auth/auth.module.js';
import { FirstKeyModule } from './platform/auth/first-key.module.js';
import { AppConfigModule } from './platform/config/config.module.js';
import { DutiesModule } from './platform/duties/duties.module.js';
import { egressErrors } from './platform/egress/egress.errors.js';
import { EgressModule } from './platform/egress/egress.module.js';
import { httpErrors } from './platform/http/http.errors.js';
import { HttpModule } from './platform/http/http.module.js';
import { LifecycleModule } from './platform/lifecycle/lifecycle.module.js';
import { workerErrors } from './platform/lifecycle/worker.errors.js';
import { PlatformModule } from './platform/platform.module.js';

/** Every declaration of error types; a test finds those that are not here. */
const errorDeclarations = [
  httpErrors,
  fieldErrors,
  authErrors,
  workerErrors,
  egressErrors,
  secretErrors,
  agentErrors,
  codeErrors,
  httpAgentErrors,
  taskErrors,
  llmErrors,
  mcpErrors,
  strudelErrors,
  definitionErrors,
  expressionErrors,
  metricErrors,
  runErrors,
  simulationErrors,
  contextErrors,
  scheduleErrors,
  webhookErrors,
  approvalErrors,
  patternErrors,
  socketErrors,
  storageErrors,
  templateErrors,
  workflowErrors,
];

/** What the service can do: one module for each capability. */
const features: readonly (Type | DynamicModule)[] = [
  HealthModule,
  AccessModule,
  TemplatesModule,
  AgentsModule,
  CodeModule,
  HttpAgentModule,
  ToolsModule,
  LlmModule,
  StrudelModule,
  WorkflowsModule,
  RunsModule,
  WorkflowAgentModule.by(ChildRunInvoker, RunsModule),
  SchedulesModule,
  WebhooksModule,
  ApprovalsModule,
  PatternsModule,
  MetricsModule,
];

/** The stores that a configuration names, for a command beside the service. */
export function storageForCommand(config: AppConfig): Promise<DynamicModule> {
  return StorageModule.forRoot(config.storage, 'command');
}

/** The composition root: the only file that picks storage adapters and knows all features. */
@Module({})
export class AppModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        AppConfigModule.forRoot(config),
        PlatformModule,
        LifecycleModule,
        EgressModule,
        StorageModule.forRoot(config.storage),
        DutiesModule,
        AuthModule,
        FirstKeyModule,
        HttpModule.forRoot(errorDeclarations),
        ...features,
        // A worker has no sockets.
        ...(config.server.role === 'worker' ? [] : [EventsModule]),
      ],
    };
  }
}
