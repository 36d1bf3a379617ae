import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type Issue } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import { Clock } from '../../../platform/clock/clock.js';
import { IdSource } from '../../../platform/ids/id.source.js';
import { isRecordAway } from '../../../platform/ports/record-away.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  isHandedOver,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import type { NewTask, Task } from '../../domain/task.js';
import { issuesOf } from '../../domain/issues.js';
import { PartQueue } from '../../part-queue.js';
import { Provider } from '../../provider.decorator.js';
import { TaskFeed } from '../../task.feed.js';
import { TaskStore } from '../../task.store.js';
import { untilAnswered } from '../../until-answered.js';
import { workerSettingsSchema } from './settings.schema.js';

/** How long to wait at most before looking at a task of which nothing was heard. */
const LONGEST_QUIET_MS = 30_000;

/**
 * Has the work done by a process outside: puts a task into the queue, and waits for its end.
 *
 * An attempt that was interrupted is followed by one that waits for the same task. What ends an attempt for good
 * cancels its task.
 */
@Injectable()
@Provider({
  kind: 'worker',
  description: 'Work for processes outside, which poll for it.',
  agents: [
    { key: 'worker', description: 'Whatever a process outside does that polls for it.', settings: {} },
  ],
})
export class WorkerProvider extends AgentProvider {
  private readonly logger = new Logger(WorkerProvider.name);

  constructor(
    private readonly tasks: TaskStore,
    private readonly feed: TaskFeed,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {
    super();
  }

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = workerSettingsSchema.safeParse(settings);
    return parsed.success ? [] : issuesOf(parsed.error.issues, 'field.invalid');
  }

  /** JSON Schema of the settings. */
  settingsSchema(): JsonObject {
    return z.toJSONSchema(workerSettingsSchema, { io: 'input' }) as unknown as JsonObject;
  }

  override async *invoke(
    request: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const asked = this.taskOf(request);
    let task: Task;
    try {
      task = await this.tasks.create(asked); // nothing may come between this and listening
    } catch (error) {
      if (!isRecordAway(error)) throw error;
      task = await untilAnswered(() => this.tasks.create(asked), { runId: request.runId, signal });
    }
    const parts = new PartQueue();
    const nudge = (): void => {
      parts.nudge();
    };
    const unlisten = this.feed.onTask(task.id, (part) => {
      if (part === undefined) nudge();
      else parts.push(part);
    });
    signal.addEventListener('abort', nudge, { once: true });
    if (signal.aborted) nudge();
    if (task.status === 'queued') this.feed.tellWork(task.namespace, task.agentKey);
    try {
      for (let present: Task | undefined = task; present !== undefined; present = await this.find(present)) {
        if (present.outcome !== undefined) return present.outcome;
        if (present.status === 'cancelled') break;
        yield* partsOf(parts);
        if (signal.aborted) break;
      }
      return {
        status: 'failed',
        failure: failureOf(agentErrors['agent.cancelled'], 'the task was cancelled'),
      };
    } finally {
      unlisten();
      signal.removeEventListener('abort', nudge);
      if (signal.aborted && !isHandedOver(signal)) await this.cancel(task);
    }
  }

  /** The task as it is now; as it was while the record does not answer: its worker goes on all the same. */
  private async find(task: Task): Promise<Task | undefined> {
    try {
      return await this.tasks.find(task.namespace, task.id);
    } catch (error) {
      this.logger.warn({ msg: 'A task could not be looked at', taskId: task.id, err: error });
      return task;
    }
  }

  private async cancel({ namespace, id }: Task): Promise<void> {
    if (await this.tasks.cancel(namespace, id)) this.feed.tellTask(id);
  }

  private taskOf(request: AgentRequest): NewTask {
    const { namespace, agentKey, input, idempotencyKey, attempt, failures, runId, stepId } = request;
    const id = this.ids.next('tsk');
    return {
      ...{ id, namespace, agentKey, input, idempotencyKey, attempt },
      // A call outside a run is nobody's continuation.
      lineage: runId === undefined ? id : `${agentKey} ${idempotencyKey} ${String(failures)}`,
      ...workerSettingsSchema.parse(request.settings),
      ...(runId !== undefined && { runId }),
      ...(stepId !== undefined && { stepId }),
      createdAt: this.clock.now(),
    };
  }
}

/** What the worker tells, until it is time to look at the task. */
async function* partsOf(parts: PartQueue): AsyncGenerator<AgentPart, void, void> {
  for (;;) {
    const part = await parts.take(LONGEST_QUIET_MS);
    if (part === undefined) return;
    yield part;
  }
}
