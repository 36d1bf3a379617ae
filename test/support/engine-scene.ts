/**
 * The engine by hand: one process over a record in memory, a clock that a test steps, an agent that a test ends.
 *
 * Two scenes on one record are two processes, or one before and after its restart.
 */
import { Logger } from '@nestjs/common';

import { EchoProvider } from '../../src/agents/providers/echo/echo.provider.js';
import { ScriptedProvider } from '../../src/agents/providers/scripted/scripted.provider.js';
import type { EngineConfig, StorageConfig } from '../../src/platform/config/app.config.js';
import type { IdSource } from '../../src/platform/ids/id.source.js';
import { UuidSource } from '../../src/platform/ids/id.source.js';
import { JsonSchemaService } from '../../src/platform/json-schema/json-schema.service.js';
import { WorkerPool } from '../../src/platform/lifecycle/worker-pool.js';
import { ArtifactService } from '../../src/runs/artifact.service.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { AttemptExecutor } from '../../src/runs/engine/attempt.executor.js';
import { CommandRefusals } from '../../src/runs/engine/command-refusals.js';
import { ForkHistory } from '../../src/runs/engine/fork-history.js';
import { ContentLoader } from '../../src/runs/engine/content.loader.js';
import { LoopRecord, LoopTools } from '../../src/runs/engine/loop-tools.js';
import { OwnerService } from '../../src/runs/engine/owner.service.js';
import { RecoveryService } from '../../src/runs/engine/recovery.service.js';
import { RunEngine } from '../../src/runs/engine/run.engine.js';
import { RunFolds } from '../../src/runs/engine/run-folds.js';
import { RunLoader } from '../../src/runs/engine/run.loader.js';
import { StartGate } from '../../src/runs/engine/start.gate.js';
import { RunControlService } from '../../src/runs/run-control.service.js';
import { RunRetryService } from '../../src/runs/run-retry.service.js';
import type { RunQueue } from '../../src/runs/run.queue.js';
import type { RunFeed } from '../../src/runs/run.feed.js';
import { StateReader } from '../../src/runs/state.reader.js';
import { RunReader } from '../../src/runs/run.reader.js';
import { RunService, type StartRequest } from '../../src/runs/run.service.js';
import { InProcessRunFeed } from '../../src/storage/memory/in-process-run.feed.js';
import { InProcessRunQueue } from '../../src/storage/memory/in-process-run.queue.js';
import { InProcessHotStore } from '../../src/storage/memory/in-process-hot.store.js';
import { TemplateCompiler } from '../../src/templates/template-compiler.js';
import { TemplateRenderService } from '../../src/templates/template-render.service.js';
import type { HotStore } from '../../src/platform/ports/hot.store.js';
import { CacheCounts } from '../../src/platform/telemetry/cache-counts.js';
import { TemplateSource } from '../../src/templates/template-source.js';
import type { WorkflowDefinition } from '../../src/workflows/domain/definition.schema.js';
import { WorkflowSource } from '../../src/workflows/workflow-source.js';
import { WorkflowService } from '../../src/workflows/workflow.service.js';
import type { Stores } from '../contract/record-scene.js';
import { agentScene } from './agents.js';
import { HandProvider, type Call } from './hand-provider.js';
import { ManualClock } from './manual-clock.js';
import { memoryStores } from './memory-stores.js';
import { SteppedTimers } from './stepped-timers.js';
import { until } from './until.js';

// What is logged of the troubles that tests make would bury their results.
Logger.overrideLogger(false);

const CONFIG: EngineConfig = {
  maxConcurrentRuns: 10,
  runTimeoutMs: 600_000,
  queueEnabled: true,
  maxQueueSize: 100,
  maxSteps: 10_000,
  contextTtlMs: 3_600_000,
  parallelEnabled: true,
  maxParallelSteps: 5,
  runRetentionDays: 30,
};

/** A process, the record that it works on, and its configuration. */
export interface SceneOptions {
  readonly config?: Partial<EngineConfig>;
  /** The record and clock of another scene, to be another process or the next life of the same. */
  readonly on?: EngineScene;
  /** Other processes are active on the record at the same time, and share this queue and the feed. */
  readonly queue?: RunQueue;
  /** Whether the agent `hand` is missing. */
  readonly withoutHand?: boolean;
  /** Stores of the record that behave otherwise. */
  readonly stores?: (stores: Stores) => Partial<Stores>;
  /** The cache, where others have a part in it. */
  readonly hot?: HotStore;
}

export class EngineScene {
  readonly clock: ManualClock;
  readonly timers: SteppedTimers;
  readonly stores: Stores;
  readonly provider = new HandProvider();
  readonly feed: RunFeed;
  readonly engine: RunEngine;
  readonly owner: OwnerService;
  readonly recovery: RecoveryService;
  readonly runs: RunService;
  readonly reader: RunReader;
  readonly control: RunControlService;
  readonly retries: RunRetryService;
  readonly gate = new StartGate();
  readonly hot: HotStore;

  constructor(options: SceneOptions = {}) {
    const { config = {}, on, queue: shared, withoutHand = false, stores: change, hot } = options;
    this.clock = on?.clock ?? new ManualClock();
    this.timers = new SteppedTimers(this.clock);
    const plain = on?.stores ?? memoryStores(this.clock);
    this.stores = { ...plain, ...change?.(plain) };
    const { runs, lease, inbox, catalogue, blobs } = this.stores;
    const settings: EngineConfig = Object.assign({}, CONFIG, config);
    const ids: IdSource = new UuidSource();
    const queue = shared ?? new InProcessRunQueue();
    const storage = { redisUrl: shared && 'redis://shared' } as StorageConfig;
    const schemas = new JsonSchemaService();
    const others = [new EchoProvider(), new ScriptedProvider()];
    const providers = withoutHand ? others : [this.provider, ...others];
    const { agents, caller } = agentScene(providers, this.clock, this.stores);
    this.feed = (shared && on?.feed) ?? new InProcessRunFeed(runs);
    this.owner = new OwnerService(lease, this.clock, ids, this.timers);
    const executor = new AttemptExecutor(
      caller,
      new ArtifactService(blobs, this.clock),
      schemas,
      this.timers,
    );
    const contents = new ContentLoader(blobs);
    const refusals = new CommandRefusals();
    const record = new LoopRecord(runs, lease, inbox, this.feed, contents, refusals);
    const tools = new LoopTools(record, this.clock, this.timers, this.gate, this.owner, executor, queue);
    const loader = new RunLoader(runs, schemas, new ForkHistory(blobs, this.clock));
    this.hot = hot ?? new InProcessHotStore(this.clock);
    const folds = new RunFolds(this.hot, this.clock, settings);
    this.engine = new RunEngine(tools, loader, settings, folds);
    this.recovery = new RecoveryService(
      this.engine,
      lease,
      queue,
      this.owner,
      this.timers,
      this.clock,
      storage,
    );
    const source = new TemplateSource(this.stores.templates, this.hot, { cacheTtlMs: 0 }, new CacheCounts());
    const templates = new TemplateRenderService(source, new TemplateCompiler(source, schemas), schemas);
    const stored = new WorkflowSource(this.stores.workflows, new InProcessHotStore(this.clock), {
      cacheTtlMs: 0,
    });
    const workflows = new WorkflowService(agents, templates, schemas, new WorkerPool(), settings, stored);
    this.runs = new RunService(workflows, this.engine, queue, loader, this.clock, ids, settings);
    this.reader = new RunReader(
      new StateReader(this.engine, loader, catalogue, contents, folds),
      catalogue,
      runs,
      this.feed,
      this.stores.retention,
    );
    const { engine, feed, reader, clock } = this;
    this.control = new RunControlService(inbox, engine, feed, reader, clock, refusals);
    this.retries = new RunRetryService(this.control, this.reader, loader, ids);
  }

  /** A process that has begun to take runs. */
  static async start(options: SceneOptions = {}): Promise<EngineScene> {
    const scene = new EngineScene(options);
    await scene.recovery.start();
    return scene;
  }

  /** Ends the process at once: everything is handed back. */
  async stop(): Promise<void> {
    await this.recovery.stop(AbortSignal.abort());
  }

  /** Keeps a workflow under a name, as version 1. */
  async save(name: string, ...steps: readonly object[]): Promise<void> {
    const definition = { name, steps } as unknown as WorkflowDefinition;
    const content = { version: 1, body: { definition, tags: [] }, author: 'test', createdAt: 0 };
    const first = { content, outline: { facets: {} } };
    await this.stores.workflows.create('default', { id: `wf_${name}`, name, first });
  }

  /** Starts a run of steps that call the agent `hand`, or of a whole definition. */
  async run(definition: object | readonly string[], more: Partial<StartRequest> = {}): Promise<string> {
    const whole = Array.isArray(definition) ? { steps: definition.map(handStep) } : definition;
    const { run } = await this.runs.start({ namespace: 'default', definition: whole, ...more });
    return run.id;
  }

  send(runId: string, type: 'pause' | 'resume' | 'cancel'): Promise<unknown> {
    return this.control.send('default', runId, { type });
  }

  read(runId: string): Promise<RunView> {
    return this.reader.run('default', runId);
  }

  /** The log as the record has it. */
  async events(runId: string): Promise<readonly RunEvent[]> {
    const page = await this.stores.runs.read('default', runId, { afterSeq: 0, limit: 100_000 });
    return page?.events.map(({ event }) => event) ?? [];
  }

  /** The types of the log, with `stepId#attempt` where there is one. */
  async log(runId: string): Promise<readonly string[]> {
    return (await this.events(runId)).map(({ type, stepId, attempt }) =>
      stepId === undefined ? type : `${type} ${stepId}${attempt === undefined ? '' : `#${String(attempt)}`}`,
    );
  }

  /** The nth call of the agent, from 0, once it has been made. */
  async call(index = 0): Promise<Call> {
    await until(() => this.provider.calls.length > index, `call ${String(index)} is made`);
    return this.provider.calls[index] as Call;
  }

  /** Waits until the log has an event of a type. */
  async logged(runId: string, line: string): Promise<void> {
    await until(async () => (await this.log(runId)).includes(line), `the log has ${line}`);
  }

  /** Waits for everything that is under way and waits for neither an outcome nor time. */
  async settled(): Promise<void> {
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass; each timer fires at its time and what follows from it comes first. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settled();
    while (this.timers.fireNextWithin(end)) await this.settled();
    this.clock.advance(Math.max(0, end - this.clock.now()));
    await this.settled();
  }
}

/** A step that calls the agent `hand`. */
export function handStep(id: string): { readonly id: string; readonly agent: string } {
  return { id, agent: 'hand' };
}
