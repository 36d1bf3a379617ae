import { Module } from '@nestjs/common';

import { AgentsModule } from '../agents/agents.module.js';
import { WorkflowsModule } from '../workflows/workflows.module.js';
import { ArtifactController } from './artifact.controller.js';
import { BlobController } from './blob.controller.js';
import { ArtifactService } from './artifact.service.js';
import { AttemptExecutor } from './engine/attempt.executor.js';
import { BlockerReader } from './blocker.reader.js';
import { ChildRunInvoker } from './child-run.invoker.js';
import { CommandRefusals } from './engine/command-refusals.js';
import { ContentLoader } from './engine/content.loader.js';
import { EngineLifecycle } from './engine/engine.lifecycle.js';
import { ForkHistory } from './engine/fork-history.js';
import { LeaseIndicator } from './engine/lease.indicator.js';
import { LoopRecord, LoopTools } from './engine/loop-tools.js';
import { OwnerService } from './engine/owner.service.js';
import { RecoveryService } from './engine/recovery.service.js';
import { RunEngine } from './engine/run.engine.js';
import { RunFolds } from './engine/run-folds.js';
import { RunLoader } from './engine/run.loader.js';
import { StartGate } from './engine/start.gate.js';
import { TimerService } from './engine/timer.service.js';
import { ExampleRunsService } from './example-runs.service.js';
import { LogFollowers } from './log-followers.js';
import { PurgeController } from './purge.controller.js';
import { PurgeService } from './purge.service.js';
import { RetentionLoop } from './retention.loop.js';
import { RunEventsController } from './run-events.controller.js';
import { RunExportController } from './run-export.controller.js';
import { RunBulkController } from './run-bulk.controller.js';
import { RunBulkService } from './run-bulk.service.js';
import { RunContextController } from './run-context.controller.js';
import { RunContextService } from './run-context.service.js';
import { RunControlService } from './run-control.service.js';
import { RunInsightController } from './run-insight.controller.js';
import { RunController } from './run.controller.js';
import { RunForkController } from './run-fork.controller.js';
import { RunForkService } from './run-fork.service.js';
import { RunRetryController } from './run-retry.controller.js';
import { RunRetryService } from './run-retry.service.js';
import { RunReader } from './run.reader.js';
import { RunService } from './run.service.js';
import { SimulationController } from './simulation.controller.js';
import { SimulationService } from './simulation/simulation.service.js';
import { StateReader } from './state.reader.js';
import { StartResponder } from './start-responder.js';
import { WorkflowRunController } from './workflow-run.controller.js';

/** Runs: the engine, and starting, reading, following and controlling runs. */
@Module({
  imports: [AgentsModule, WorkflowsModule],
  controllers: [
    RunController,
    RunExportController,
    RunEventsController,
    RunInsightController,
    ArtifactController,
    BlobController,
    PurgeController,
    WorkflowRunController,
    SimulationController,
    RunForkController,
    RunRetryController,
    RunContextController,
    RunBulkController,
  ],
  providers: [
    ArtifactService,
    AttemptExecutor,
    BlockerReader,
    ChildRunInvoker,
    CommandRefusals,
    ContentLoader,
    EngineLifecycle,
    LogFollowers,
    ExampleRunsService,
    ForkHistory,
    LeaseIndicator,
    LoopRecord,
    LoopTools,
    OwnerService,
    PurgeService,
    RecoveryService,
    RetentionLoop,
    RunBulkService,
    RunContextService,
    RunControlService,
    RunEngine,
    RunFolds,
    RunForkService,
    RunLoader,
    RunReader,
    RunRetryService,
    RunService,
    SimulationService,
    StartGate,
    StartResponder,
    StateReader,
    TimerService,
  ],
  exports: [ChildRunInvoker, LogFollowers, RunControlService, RunReader, RunService, StartResponder],
})
export class RunsModule {}
