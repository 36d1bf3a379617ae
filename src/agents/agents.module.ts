import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { AgentBreakers } from './agent-breakers.js';
import { AgentCallController } from './agent-call.controller.js';
import { AgentCallService } from './agent-call.service.js';
import { AgentCaller } from './agent-caller.js';
import { AgentConditionReader } from './agent-condition.reader.js';
import { AgentCheck } from './agent-check.js';
import { AgentDocument } from './agent-document.js';
import { AgentEditService } from './agent-edit.service.js';
import { AgentHealthController } from './agent-health.controller.js';
import { AgentHealthService } from './agent-health.service.js';
import { AgentObservations } from './agent-observations.js';
import { AgentReferences } from './agent-references.js';
import { AgentSource } from './agent-source.js';
import { AgentVersionController } from './agent-version.controller.js';
import { AgentController } from './agent.controller.js';
import { AgentService } from './agent.service.js';
import { BuiltInAgents } from './built-in-agents.js';
import { CallGate } from './call.gate.js';
import { ExampleAgentsService } from './example-agents.service.js';
import { LimitGate } from './limit-gate.js';
import { ExampleTasksService } from './example-tasks.service.js';
import { ProviderRegistry } from './provider.registry.js';
import { EchoProvider } from './providers/echo/echo.provider.js';
import { FunctionProvider } from './providers/function/function.provider.js';
import { ScriptedProvider } from './providers/scripted/scripted.provider.js';
import { SlotLeases } from './slot-leases.js';
import { WorkerProvider } from './providers/worker/worker.provider.js';
import { TaskController } from './task.controller.js';
import { TaskPollers } from './task-pollers.js';
import { TaskService } from './task.service.js';
import { TaskSweep } from './task-sweep.js';

/** Agents: the registry, calling them within their limits, their health, and the providers of the service itself. */
@Module({
  imports: [DiscoveryModule],
  controllers: [
    AgentController,
    AgentVersionController,
    AgentHealthController,
    AgentCallController,
    TaskController,
  ],
  providers: [
    AgentBreakers,
    AgentCallService,
    AgentCaller,
    AgentCheck,
    AgentConditionReader,
    AgentDocument,
    AgentEditService,
    AgentHealthService,
    AgentObservations,
    AgentReferences,
    AgentService,
    AgentSource,
    BuiltInAgents,
    EchoProvider,
    ExampleAgentsService,
    ExampleTasksService,
    FunctionProvider,
    ProviderRegistry,
    ScriptedProvider,
    SlotLeases,
    TaskPollers,
    TaskService,
    TaskSweep,
    WorkerProvider,
    { provide: CallGate, useClass: LimitGate },
  ],
  exports: [AgentCallService, AgentCaller, AgentConditionReader, AgentReferences, AgentService],
})
export class AgentsModule {}
