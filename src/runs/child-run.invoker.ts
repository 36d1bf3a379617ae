import { Injectable } from '@nestjs/common';

import { agentErrors } from '../agents/agent.errors.js';
import { isHandedOver, type AgentOutcome } from '../agents/agent.provider.js';
import { WorkflowInvoker, type WorkflowCall } from '../agents/workflow.invoker.js';
import { failureOf } from '../kernel/failure.js';
import { microsFromUsd } from '../kernel/money.js';
import { IdSource } from '../platform/ids/id.source.js';
import { runErrors } from './domain/run.errors.js';
import type { RunParent } from './domain/run.events.js';
import { MAX_RUNS_ABOVE } from './domain/steps/workflow.step.js';
import { failureIn } from './domain/sub-run.js';
import type { RunView } from './domain/view.js';
import { RunEngine } from './engine/run.engine.js';
import { subRunIdOf } from './engine/sub-run-rows.js';
import { RunControlService } from './run-control.service.js';
import { RunReader } from './run.reader.js';
import { RunService } from './run.service.js';

/** How long a run may say nothing before somebody looks whether it is driven at all. */
const QUIET_MS = 5_000;

/**
 * Runs a workflow as the work of a step: the run's id follows from the step, so a later attempt finds it again.
 *
 * The run needs no execution slot of its own: its parent holds one and does nothing but wait for it.
 */
@Injectable()
export class ChildRunInvoker extends WorkflowInvoker {
  constructor(
    private readonly runs: RunService,
    private readonly reader: RunReader,
    private readonly control: RunControlService,
    private readonly engine: RunEngine,
    private readonly ids: IdSource,
  ) {
    super();
  }

  override async invoke(call: WorkflowCall, signal: AbortSignal): Promise<AgentOutcome> {
    const { namespace, subject, input, lineage = '' } = call;
    const above = await this.parentOf(call);
    const depth = above?.parent.depth ?? 0;
    if (depth > MAX_RUNS_ABOVE) return { status: 'failed', failure: tooDeep() };
    const runId = above === undefined ? this.ids.next('run') : subRunIdOf(above.parent.runId, lineage);
    const { priority, parent } = above ?? {};
    const request = { ...subject, namespace, input, ...(priority !== undefined && { priority }) };
    await this.runs.startChild(request, { runId, ...(parent && { parent }) });
    await this.follow(namespace, runId, signal);
    if (!signal.aborted) return outcomeOf(await this.reader.run(namespace, runId));
    if (!isHandedOver(signal))
      await this.control.send(namespace, runId, { type: 'cancel', reason: 'its step ended' });
    return { status: 'failed', failure: failureOf(agentErrors['agent.cancelled'], 'the run was cancelled') };
  }

  /** Up to the run's end or the abort; a process that waits for a run and executes runs drives it where nobody else does. */
  private async follow(namespace: string, runId: string, signal: AbortSignal): Promise<void> {
    await this.drive(namespace, runId);
    const timer = setInterval(() => void this.drive(namespace, runId).catch(() => undefined), QUIET_MS);
    try {
      const items = this.reader.follow({ namespace, runId, afterSeq: 0, signal });
      for await (const item of items) {
        timer.refresh();
        if (item.kind === 'event' && item.event.event.type === 'run.resumed')
          await this.drive(namespace, runId);
      }
    } finally {
      clearInterval(timer);
    }
  }

  private async drive(namespace: string, runId: string): Promise<void> {
    if (this.engine.slots === 0 || this.engine.find(runId) !== undefined) return;
    const { ownerId, summary, epoch } = await this.reader.requireRow(namespace, runId);
    const isIdle = ownerId === undefined && (summary.status === 'queued' || summary.status === 'running');
    if (isIdle) await this.engine.claim(runId, 'nested', epoch);
  }

  /** The run whose step asks, as the run that is started knows it; undefined outside a run. */
  private async parentOf({
    namespace,
    parent,
  }: WorkflowCall): Promise<{ readonly parent: RunParent; readonly priority: number } | undefined> {
    if (parent === undefined) return undefined;
    const above = await this.reader.run(namespace, parent.runId);
    return { parent: { ...parent, depth: (above.parent?.depth ?? 0) + 1 }, priority: above.priority };
  }
}

function outcomeOf({ id, status, output = null, failure, usage, costUsd }: RunView): AgentOutcome {
  const spent = { usage, costMicros: microsFromUsd(costUsd) };
  if (status === 'completed') return { status, output, ...spent };
  const cancelled = failureOf(agentErrors['agent.cancelled'], 'somebody cancelled the run');
  return { status: 'failed', failure: failureIn(id, failure ?? cancelled), ...spent };
}

function tooDeep(): ReturnType<typeof failureOf> {
  const message = `more than ${MAX_RUNS_ABOVE} workflows call one another; does one call itself?`;
  return failureOf(runErrors['workflow.too-deep'], message);
}
