/**
 * Retrying a run that has ended badly.
 *
 * Decided here: which runs are retried, and what the event says. Decided elsewhere: which units run again (reopen.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { Draft } from './draft.js';
import { reopen, stepsAgain } from './reopen.js';
import type { RetryRequest } from './run.commands.js';
import { runErrors } from './run.errors.js';
import type { RunEvent, RunEventOf } from './run.events.js';
import type { RunState } from './run.state.js';
import { isTerminal } from './run.status.js';
import { findUnit } from './unit.js';

/** Why a run can not be retried like this; undefined when it can. */
export function refusalOfRetry(
  state: RunState,
  { fromStep, expectedSeq = state.lastSeq }: RetryRequest,
): Failure | undefined {
  const { status, runId, root, lastSeq } = state;
  if (!isTerminal(status) || status === 'completed' || lastSeq !== expectedSeq) {
    const advice = status === 'completed' ? '; fork it to run a part of it again' : '';
    const message = `run ${runId} is ${status}: only a run that has ended badly can be retried${advice}`;
    return failureOf(runErrors['run.not-retryable'], message, { details: { status } });
  }
  if (fromStep === undefined || findUnit(root, fromStep) !== undefined) return undefined;
  return failureOf(runErrors['step.not-found'], `run ${runId} has no step "${fromStep}"`);
}

/** Decides a retry. */
export function retryRun(
  state: RunState,
  { at, ...request }: RetryRequest & { readonly at: number },
): Result<readonly RunEvent[]> {
  const refusal = refusalOfRetry(state, request);
  if (refusal !== undefined) return fail(refusal);
  const { fromStep, context, by, reason } = request;
  const draft = new Draft(state, at);
  draft.run('run.retried', {
    retry: state.retries + 1,
    steps: stepsAgain(state, fromStep === undefined ? [] : [fromStep]),
    ...(fromStep !== undefined && { fromStep }),
    ...(context !== undefined && { context }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
  });
  return ok(draft.events);
}

/** The run is queued again. */
export function evolveRetried(
  state: RunState,
  { seq, data: { retry, fromStep, context } }: RunEventOf<'run.retried'>,
): void {
  state.retries = retry;
  state.generation += 1;
  if (context !== undefined) Object.assign(state, { context, contextSeq: seq });
  const from = fromStep === undefined ? [] : [fromStep];
  reopen(state, { generation: state.generation, from, takesUp: false });
}
