/**
 * Sub-runs: runs that are the work of a step of another run.
 *
 * Decided here: what one begins with, what its end means for the step that waits for it, how deep they nest. Decided
 * elsewhere: when a step asks for one (steps/workflow.step.ts, decide.ts), that it is created and ended in the same
 * transaction as the events that say so (engine/sub-run-rows.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { pinnedFor, reachable } from '../../workflows/domain/pinned-workflow.js';
import type { Seen } from './seen.js';
import { keptIn } from './kept-in-events.js';
import type { Delivery } from './run.commands.js';
import { runErrors } from './run.errors.js';
import {
  EVENT_SCHEMA_VERSION,
  type RunEvent,
  type RunEventOf,
  type RunManifest,
  type Spent,
} from './run.events.js';
import type { RunState } from './run.state.js';
import type { RunSummary } from './summary.js';
import type { Unit } from './unit.js';

/** The flag of a run that tells its parent of its end: who does not know it must not drive the run. */
export const DELIVERS_ITS_END = 1;

/** A unit that begins to wait for a sub-run. */
export type SubRunWait = Pick<RunEventOf<'step.waiting'>, 'seq' | 'at' | 'data'>;

/** How many runs are above this one. */
export function runsAbove({ queued }: Pick<RunState, 'queued'>): number {
  return queued.parent?.depth ?? 0;
}

/**
 * What the id of a sub-run is a hash of: the stable key of its step. A failed sub-run is followed by another one, so
 * failures count; attempts do not.
 */
export function lineageOf({ runId }: RunState, { path, generation, failures }: Unit): string {
  const stableKey = `${runId}:${path}:${generation}`;
  return failures === 0 ? stableKey : `${stableKey} ${failures}`;
}

/** Event 1 of the sub-run that a unit begins to wait for: all that the sub-run needs. Its input is at hand. */
export function firstEventOf(
  { state, contents }: Seen,
  { path, step, input = {} }: Pick<Unit, 'path' | 'step' | 'input'>,
  { seq, at, data }: SubRunWait,
): RunEventOf<'run.queued'> {
  const { queued, runId } = state;
  const reference = step.work.kind === 'workflow' ? step.work.reference : '';
  const { workflows = {}, definitions = {} } = queued.manifest;
  const pinned = pinnedFor(workflows, definitions, reference);
  if (pinned === undefined || data.ref === undefined)
    throw new TypeError(`${path} runs "${reference}", which the manifest of run ${runId} lacks`);
  const { definition, timeoutMs, maxParallelSteps } = pinned;
  const options = { priority: queued.options.priority, tags: [], timeoutMs, maxParallelSteps };
  return {
    runId: data.ref,
    seq: 1,
    type: 'run.queued',
    at,
    data: {
      schemaVersion: EVENT_SCHEMA_VERSION,
      flags: [DELIVERS_ITS_END],
      definition,
      manifest: manifestOf(pinned, definitions),
      input: contents.read(input),
      context: definition.context ?? {},
      options,
      parent: { runId, path, wait: seq, depth: runsAbove(state) + 1 },
    },
  };
}

function manifestOf(
  { id, version, agents, templates, workflows }: NonNullable<RunManifest['definitions']>[string],
  definitions: NonNullable<RunManifest['definitions']>,
): RunManifest {
  return {
    workflow: { id, version },
    agents,
    ...(Object.keys(templates).length > 0 && { templates }),
    ...(Object.keys(workflows).length > 0 && { workflows, definitions: reachable(workflows, definitions) }),
  };
}

/** The columns of a run that nobody has begun. */
export function summaryOfQueued({ at, data }: RunEventOf<'run.queued'>): RunSummary {
  return {
    status: 'queued',
    stepsTotal: data.definition.steps.length,
    stepsCompleted: 0,
    stepsFailed: 0,
    stepsSkipped: 0,
    inputTokens: 0,
    outputTokens: 0,
    costMicros: 0,
    wakeAt: Date.parse(at),
  };
}

/** What the terminal event of a sub-run means for the step that waits for it; undefined for any other event. */
export function deliveryOf({ state, contents }: Seen, event: RunEvent): Delivery | undefined {
  const { runId, usage, costMicros } = state;
  const spent: Spent = {
    ...(Object.keys(usage).length > 0 && { usage }),
    ...(costMicros > 0 && { costMicros }),
  };
  switch (event.type) {
    case 'run.completed':
      return { status: 'completed', output: contents.read(keptIn(event.data, 'output') ?? null), ...spent };
    case 'run.failed':
      return { status: 'failed', failure: failureIn(runId, event.data.failure), ...spent };
    case 'run.cancelled':
      return { status: 'failed', failure: cancelled(runId, event.data.reason), ...spent };
    default:
      return undefined;
  }
}

/** The failure of a run as that of the step whose work it was. */
export function failureIn(runId: string, failure: Failure): Failure {
  const { code, kind, message, retryable } = failure;
  return { code, kind, message: `run ${runId}: ${message}`, retryable, details: { runId }, cause: failure };
}

function cancelled(runId: string, reason: string | undefined): Failure {
  const message = `run ${runId} was cancelled${reason === undefined ? '' : `: ${reason}`}`;
  return failureOf(runErrors['workflow.cancelled'], message, { details: { runId } });
}

/**
 * The run that an event gives up, because the step that waits for it has ended without it.
 *
 * @param find the unit of the event
 */
export function abandonedBy(
  event: RunEvent,
  find: () => Pick<Unit, 'subRunId'> | undefined,
): string | undefined {
  if (event.type.endsWith('.cancelled')) return find()?.subRunId;
  if (!event.type.endsWith('.failed') && !event.type.endsWith('.retrying')) return undefined;
  const { failure } = event.data as { readonly failure: Failure };
  const { for: awaited, ref } = failure.details ?? {};
  const hasTimedOut = failure.code === runErrors['step.timed-out'].code && awaited === 'run';
  return hasTimedOut && typeof ref === 'string' ? ref : undefined;
}
