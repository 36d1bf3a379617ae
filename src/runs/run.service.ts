import { Injectable } from '@nestjs/common';

import { pinsOf } from '../agents/domain/agent.js';
import { AppError } from '../kernel/failure.js';
import type { Json, JsonObject } from '../kernel/json.js';
import { isoOf } from '../kernel/time.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { IdSource } from '../platform/ids/id.source.js';
import type { IdempotencyRow } from '../platform/ports/idempotency.store.js';
import type { WorkflowDefinition } from '../workflows/domain/definition.schema.js';
import type { Graph } from '../workflows/domain/graph.js';
import { WorkflowService, type CheckedDefinition } from '../workflows/workflow.service.js';
import { runErrors } from './domain/run.errors.js';
import {
  EVENT_SCHEMA_VERSION,
  type FirstEvent,
  type PinnedDefinition,
  type RunEvent,
  type RunEventOf,
  type RunManifest,
  type RunOptions,
  type RunParent,
} from './domain/run.events.js';
import { viewOfNewRun, type RunView } from './domain/view.js';
import { blobRowsOfFork } from './engine/also-rows.js';
import { RunEngine } from './engine/run.engine.js';
import { RunLoader } from './engine/run.loader.js';
import { newRunOf } from './new-run.js';
import { RunQueue } from './run.queue.js';
import type { CreateResult, Creation, NewRun } from './run.store.js';
import { parseSubject } from './start-subject.js';

const DEFAULT_PRIORITY = 50;

/** When a caller that found the queue full may try again, in milliseconds. */
const QUEUE_RETRY_AFTER_MS = 1_000;

/** What a caller asks for: either a definition or a stored workflow. */
export interface StartRequest {
  readonly namespace: string;
  readonly definition?: unknown;
  /** Which workflow and version; with neither version nor label, `production` else `latest`. */
  readonly workflow?: unknown;
  /** @default {} */
  readonly input?: Json;
  /** Laid over the definition's own context, key by key. */
  readonly context?: JsonObject;
  /** 0 to 100, higher first. @default 50 */
  readonly priority?: number;
  readonly tags?: readonly string[];
  /** The caller's key and the hash of its body; `runId` is filled in here. */
  readonly idempotency?: Omit<IdempotencyRow, 'runId' | 'answer'>;
}

/** What a run is created of. */
interface RunOpening {
  readonly first: FirstEvent;
  readonly graph: Graph;
  /** The events before those of a fork. */
  readonly history: readonly RunEvent[];
}

/** A run that was started, now or by the first request with the same key. */
export interface StartAnswer {
  readonly run: RunView;
  readonly isReplayed: boolean;
}

/** Starting runs. */
@Injectable()
export class RunService {
  constructor(
    private readonly workflows: WorkflowService,
    private readonly engine: RunEngine,
    private readonly queue: RunQueue,
    private readonly loader: RunLoader,
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly config: EngineConfig,
  ) {}

  /**
   * Starts a run: it is durable when this resolves.
   *
   * @throws AppError `request.invalid`, `workflow.not-found`, `workflow.version-not-found`, `workflow.label-not-found`,
   *   `definition.invalid`, `input.invalid`, `queue.full`, `idempotency.mismatch`
   */
  async start(request: StartRequest): Promise<StartAnswer> {
    const checked = await this.require(request);
    const first = this.queuedEvent(request, checked, this.ids.next('run'));
    return this.begin(request, { first, graph: checked.graph, history: [] });
  }

  /**
   * Creates a run of its first event: it is durable when this resolves.
   *
   * @throws AppError `queue.full`, `idempotency.mismatch`
   */
  async begin(
    request: Pick<StartRequest, 'namespace' | 'idempotency'>,
    { first, graph, history }: RunOpening,
  ): Promise<StartAnswer> {
    const creation = this.creationOf(request, [first], { graph, history });
    const result = await this.engine.create(creation, graph, history);
    const { run } = creation;
    switch (result.outcome) {
      case 'created':
        this.hintUnlessHere(run);
        return { run: this.firstView(run, { graph, history }), isReplayed: false };
      case 'key_used':
        return this.replay(request, result.row);
      case 'queue_full':
        throw this.queueFull(result.queued);
      case 'exists':
        throw new Error(`a fresh run id exists already: ${run.id}`);
    }
  }

  /**
   * Starts a run under an id of the caller's choosing, unless it exists: safe to repeat.
   *
   * @throws AppError as `start`
   */
  async startAs(runId: string, request: StartRequest): Promise<void> {
    const result = await this.createAs(runId, request, []);
    if (result.outcome === 'queue_full') throw this.queueFull(result.queued);
  }

  /**
   * Creates a run under an id of the caller's choosing, unless it exists or the queue is full.
   *
   * @param further events that follow event 1 at once
   */
  async plant(request: StartRequest, runId: string, further: readonly RunEvent[] = []): Promise<void> {
    await this.createAs(runId, request, further);
  }

  /**
   * The definition that a request would run, with an input that it takes.
   *
   * @throws AppError `request.invalid`, `workflow.not-found`, `workflow.version-not-found`, `workflow.label-not-found`,
   *   `definition.invalid`, `input.invalid`
   */
  async require(request: StartRequest): Promise<CheckedDefinition> {
    const checked = await this.subjectOf(request);
    this.workflows.requireInput(checked, request.input ?? {}, '/input');
    return checked;
  }

  /**
   * What a run of this request would begin with: its first event and its compiled definition. Nothing is started.
   *
   * @throws AppError as `require`
   */
  async rehearse(
    request: StartRequest,
    runId: string,
  ): Promise<{ readonly queued: RunEventOf<'run.queued'>; readonly graph: Graph }> {
    const checked = await this.require(request);
    return { queued: this.queuedEvent(request, checked, runId), graph: checked.graph };
  }

  /**
   * Starts a run as the work of a step of another, unless it exists. No limit of the queue refuses it, and it needs
   * no execution slot: its parent waits for it with its own.
   *
   * @throws AppError as `start`
   */
  async startChild(
    request: StartRequest,
    { runId, parent }: { readonly runId: string; readonly parent?: RunParent },
  ): Promise<void> {
    const checked = await this.require(request);
    const first = this.queuedEvent(request, checked, runId, parent);
    const { run } = this.creationOf(request, [first], { graph: checked.graph, history: [] });
    const child = parent === undefined ? run : { ...run, parentId: parent.runId };
    await this.engine.create({ run: child }, checked.graph);
    this.hintUnlessHere(child);
  }

  private async createAs(
    runId: string,
    request: StartRequest,
    further: readonly RunEvent[],
  ): Promise<CreateResult> {
    const checked = await this.require(request);
    const events = [this.queuedEvent(request, checked, runId), ...further] as const;
    const creation = this.creationOf(request, events, { graph: checked.graph, history: [] });
    const result = await this.engine.create(creation, checked.graph);
    if (result.outcome === 'created') this.hintUnlessHere(creation.run);
    return result;
  }

  private subjectOf({ namespace, definition, workflow }: StartRequest): Promise<CheckedDefinition> {
    const subject = parseSubject({ definition, workflow });
    if (!subject.ok) throw new AppError(subject.failure);
    if (subject.value.workflow === undefined) {
      return this.workflows.require(namespace, definition, '/definition');
    }
    return this.workflows.requireStored(namespace, subject.value.workflow, '/workflow');
  }

  private queuedEvent(
    request: StartRequest,
    checked: CheckedDefinition,
    runId: string,
    parent?: RunParent,
  ): RunEventOf<'run.queued'> {
    const { definition } = checked;
    return {
      runId,
      seq: 1,
      type: 'run.queued',
      at: isoOf(this.clock.now()),
      data: {
        schemaVersion: EVENT_SCHEMA_VERSION,
        flags: [],
        definition,
        manifest: this.manifestOf(checked),
        input: request.input ?? {},
        context: { ...definition.context, ...request.context },
        options: {
          priority: request.priority ?? DEFAULT_PRIORITY,
          tags: request.tags ?? [],
          ...this.limitsOf(definition),
        },
        ...(parent && { parent }),
      },
    };
  }

  private manifestOf({ agents, templates, workflow, workflows, pinned }: CheckedDefinition): RunManifest {
    const definitions = Object.entries(pinned).map(([key, version]): readonly [string, PinnedDefinition] => [
      key,
      { ...version, ...this.limitsOf(version.definition) },
    ]);
    return {
      ...(workflow !== undefined && { workflow }),
      agents: pinsOf(agents),
      ...(Object.keys(templates).length > 0 && { templates }),
      ...(definitions.length > 0 && { workflows, definitions: Object.fromEntries(definitions) }),
    };
  }

  private limitsOf(definition: WorkflowDefinition): Pick<RunOptions, 'timeoutMs' | 'maxParallelSteps'> {
    const { parallelEnabled, maxParallelSteps, runTimeoutMs } = this.config;
    return {
      timeoutMs: definition.timeoutMs ?? runTimeoutMs,
      maxParallelSteps: parallelEnabled ? (definition.maxParallelSteps ?? maxParallelSteps) : 1,
    };
  }

  private creationOf(
    { namespace, idempotency }: Pick<StartRequest, 'namespace' | 'idempotency'>,
    events: readonly [FirstEvent, ...RunEvent[]],
    { graph, history }: Pick<RunOpening, 'graph' | 'history'>,
  ): Omit<Creation, 'ownerId'> {
    const state = this.loader.stateOf(events, graph, history);
    const run = newRunOf({ namespace, appendId: this.ids.next('apd') }, events, state);
    const also = blobRowsOfFork(events[0], history, namespace);
    return {
      run,
      ...(also.length > 0 && { also }),
      maxQueued: this.config.queueEnabled ? this.config.maxQueueSize : 0,
      ...(idempotency === undefined ? {} : { idempotency: { ...idempotency, runId: run.id } }),
    };
  }

  /** A run that this process executes already needs no hint. */
  private hintUnlessHere({ id: runId, priority }: NewRun): void {
    if (this.engine.find(runId) === undefined) this.queue.hint({ runId, priority });
  }

  private firstView(
    { namespace, events }: NewRun,
    { graph, history }: Pick<RunOpening, 'graph' | 'history'>,
  ): RunView {
    const state = this.loader.stateOf(
      events.map(({ event }) => event),
      graph,
      history,
    );
    return viewOfNewRun(namespace, state);
  }

  /** The first answer again: the run as it was when it had been accepted. */
  private async replay(
    { namespace, idempotency }: Pick<StartRequest, 'namespace' | 'idempotency'>,
    row: IdempotencyRow,
  ): Promise<StartAnswer> {
    if (row.bodyHash !== idempotency?.bodyHash || row.runId === undefined) {
      throw AppError.of(
        httpErrors['idempotency.mismatch'],
        `the key "${row.key}" was used with another body`,
      );
    }
    const state = await this.loader.loadFirst(namespace, row.runId);
    if (state === undefined)
      throw AppError.of(runErrors['run.not-found'], `run ${row.runId} is not kept any more`);
    return { run: viewOfNewRun(namespace, state), isReplayed: true };
  }

  private queueFull(queued: number): AppError {
    const { queueEnabled, maxQueueSize, maxConcurrentRuns } = this.config;
    const message = queueEnabled
      ? `${String(queued)} runs are queued and the limit is ${String(maxQueueSize)} (AGENT_MAX_QUEUE_SIZE)`
      : `all ${String(maxConcurrentRuns)} places are taken and queueing is off (AGENT_ENABLE_QUEUE)`;
    return AppError.of(runErrors['queue.full'], message, { retryAfterMs: QUEUE_RETRY_AFTER_MS });
  }
}
