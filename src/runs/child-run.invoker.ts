import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { agentErrors } from '../agents/agent.errors.js';
import { isHandedOver, type AgentOutcome } from '../agents/agent.provider.js';
import { WorkflowInvoker, type WorkflowCall } from '../agents/workflow.invoker.js';
import { failureOf, type Failure } from '../kernel/failure.js';
import { makeChildRunId } from '../kernel/ids.js';
import { microsFromUsd } from '../kernel/money.js';
import { IdSource } from '../platform/ids/id.source.js';
import { childRunErrors } from './child-run.errors.js';
import type { RunView } from './domain/view.js';
import { RunEngine } from './engine/run.engine.js';
import { RunCatalogue, type RunRow } from './run.catalogue.js';
import { RunControlService } from './run-control.service.js';
import { RunReader } from './run.reader.js';
import { RunService } from './run.service.js';

/** Runs above a run, at most. */
const MAX_DEPTH = 10;
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
    private readonly catalogue: RunCatalogue,
    private readonly ids: IdSource,
  ) {
    super();
  }

  override async invoke(call: WorkflowCall, signal: AbortSignal): Promise<AgentOutcome> {
    const { namespace, subject, input, parentRunId, lineage } = call;
    const parent =
      parentRunId === undefined ? undefined : await this.reader.requireRow(namespace, parentRunId);
    if (parent !== undefined && (await this.hasTooManyAbove(parent)))
      return { status: 'failed', failure: tooDeep() };
    const runId = parent === undefined ? this.ids.next('run') : childIdOf(parent.id, lineage ?? '');
    const request = { ...subject, namespace, input, ...(parent && { priority: parent.priority }) };
    await this.runs.startChild(request, { runId, ...(parent && { parentId: parent.id }) });
    await this.follow(namespace, runId, signal);
    if (!signal.aborted) return outcomeOf(await this.reader.run(namespace, runId));
    if (!isHandedOver(signal))
      await this.control.send(namespace, runId, { type: 'cancel', reason: 'its step ended' });
    return { status: 'failed', failure: failureOf(agentErrors['agent.cancelled'], 'the run was cancelled') };
  }

  /** Up to the run's end or the abort; the process that waits for a run drives it where nobody else does. */
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
    if (this.engine.find(runId) !== undefined) return;
    const { ownerId, summary, epoch } = await this.reader.requireRow(namespace, runId);
    const isIdle = ownerId === undefined && (summary.status === 'queued' || summary.status === 'running');
    if (isIdle) await this.engine.claim(runId, 'nested', epoch);
  }

  private async hasTooManyAbove(parent: RunRow): Promise<boolean> {
    let above = 1;
    for (let row: RunRow | undefined = parent; row?.parentId !== undefined; above += 1) {
      if (above >= MAX_DEPTH) return true;
      row = await this.catalogue.find(row.namespace, row.parentId);
    }
    return false;
  }
}

function childIdOf(parentRunId: string, lineage: string): string {
  return makeChildRunId(parentRunId, createHash('sha256').update(lineage).digest('hex'));
}

function outcomeOf({ id, status, output = null, failure, usage, costUsd }: RunView): AgentOutcome {
  const spent = { usage, costMicros: microsFromUsd(costUsd) };
  if (status === 'completed') return { status, output, ...spent };
  return { status: 'failed', failure: failureIn(id, failure), ...spent };
}

/** The failure of the run; that it was cancelled where it has none. */
function failureIn(runId: string, failure: Failure | undefined): Failure {
  const { code, kind, message, retryable } =
    failure ?? failureOf(agentErrors['agent.cancelled'], 'somebody cancelled the run');
  return {
    ...{ code, kind, message: `run ${runId}: ${message}`, retryable },
    details: { runId },
    ...(failure !== undefined && { cause: failure }),
  };
}

function tooDeep(): Failure {
  const message = `more than ${String(MAX_DEPTH)} workflows call one another; does one call itself?`;
  return failureOf(childRunErrors['workflow.too-deep'], message);
}
