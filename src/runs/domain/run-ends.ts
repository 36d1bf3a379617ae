/**
 * How a run ends.
 *
 * Decided here: which events an end is made of, and whether something comes before it. Decided elsewhere: what that
 * is, and in which order (last-steps.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import type { Draft } from './draft.js';
import { cancelAll } from './endings.js';
import { hasLastSteps } from './last-steps.js';
import { runErrors } from './run.errors.js';
import type { RunEnd } from './run.events.js';
import { DEATHS_UNTIL_POISONED } from './run.state.js';

/** How long a run that was cancelled or has used up its time goes on with what comes last, in milliseconds. */
export const ENDING_GRACE_MS = 60_000;

/** Ends the run: at once, or after what comes last. One that has not begun has nothing to do. */
export function endRun(draft: Draft, end: RunEnd): void {
  const { state } = draft;
  if (state.startedAt === undefined || !hasLastSteps(state, end.status)) {
    conclude(draft, end);
    return;
  }
  const isBounded = end.status === 'cancelled' || end.status === 'timed_out';
  draft.run('run.ending', { ...end, ...(isBounded && { graceMs: ENDING_GRACE_MS }) });
}

/** Ends the run as it was decided; one that would have completed fails with a failure of what came last. */
export function finishEnding(draft: Draft): void {
  const { ending } = draft.state;
  if (ending === undefined || ending.left > 0) return;
  const { failedLast, status } = ending;
  if (status === 'completed' && failedLast !== undefined)
    conclude(draft, { status: 'failed', failure: failedLast });
  else conclude(draft, ending);
}

/** Ends the run whatever is left to be done: as it was decided, if that is not that it completes. */
export function cutEnding(draft: Draft, why: 'cancelled' | 'timed_out'): void {
  const { ending } = draft.state;
  if (ending === undefined) return;
  cancelAll(draft, why === 'cancelled' ? 'run-cancelled' : 'run-failed');
  if (ending.status !== 'completed') conclude(draft, ending);
  else if (why === 'cancelled') conclude(draft, { status: 'cancelled' });
  else conclude(draft, { status: 'timed_out', failure: timedOut(draft) });
}

/** Ends the run as failed; what is under way is cancelled and aborted. */
export function failRun(draft: Draft, failure: Failure): void {
  cancelAll(draft, 'run-failed');
  const end: RunEnd = { status: 'failed', failure };
  if (draft.state.deaths >= DEATHS_UNTIL_POISONED)
    conclude(draft, end); // whatever comes last could kill its process, too
  else endRun(draft, end);
}

/** Ends a run that has used up its execution time. */
export function timeOutRun(draft: Draft): void {
  cancelAll(draft, 'run-failed');
  endRun(draft, { status: 'timed_out', failure: timedOut(draft) });
}

/** Ends a cancelled run. */
export function endCancelled(draft: Draft): void {
  cancelAll(draft, 'run-cancelled');
  endRun(draft, { status: 'cancelled' });
}

function timedOut({ state }: Draft): Failure {
  const { timeoutMs } = state.queued.options;
  return failureOf(
    runErrors['run.timed-out'],
    `the run executed for longer than its ${String(timeoutMs)} ms`,
    {
      details: { timeoutMs },
    },
  );
}

function conclude(draft: Draft, { status, output = null, outputRef, failure }: RunEnd): void {
  const { cancelReason } = draft.state;
  switch (status) {
    case 'completed':
      draft.run('run.completed', outputRef === undefined ? { output } : { outputRef });
      break;
    case 'cancelled':
      draft.run('run.cancelled', cancelReason === undefined ? {} : { reason: cancelReason });
      break;
    default:
      if (failure !== undefined) draft.run('run.failed', { status, failure });
  }
}
