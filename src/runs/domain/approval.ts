/**
 * Approvals: what is asked, what is answered, and what comes of the step.
 *
 * Decided here: the id of an approval, the outcome of an answer and of a deadline. Decided elsewhere: when an approval
 * is asked for (steps/approval.step.ts), whether an answer is taken (decide.ts), who may answer and whether the data
 * fits the form (src/approvals).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import type { OnReject, TimeoutRoute } from '../../workflows/domain/kinds/approval.step.js';
import { runErrors } from './run.errors.js';

export type Decision = 'approve' | 'reject';

/** What somebody is asked, with everything evaluated. */
export interface AskedApproval {
  /** What is to be decided. */
  readonly prompt?: string;
  /** JSON Schema of the data of an answer. */
  readonly form?: JsonObject;
  /** Who may answer; absent: whoever may answer approvals. */
  readonly assignees?: readonly string[];
  /** What comes of it when nobody has answered in time; absent where it waits for ever. */
  readonly onTimeout?: TimeoutRoute | { readonly output: Json };
  readonly onReject: OnReject;
}

/** The end of an approval by an answer or by its deadline. */
export interface ApprovalEnd {
  /** Absent when nobody has decided: the deadline has passed and no decision stands for it. */
  readonly decision?: Decision;
  /** What was filled in; null when nobody has answered. */
  readonly data: Json;
  /** Who answered, as far as that is known. */
  readonly by?: string;
  /** Present when the deadline has passed. */
  readonly timedOut?: true;
}

/** The id of an approval: it names the run and the event with which it was asked for. */
export function approvalIdOf(runId: string, seq: number): string {
  return `apr_${runId.slice(runId.indexOf('_') + 1)}_${seq}`;
}

/** What a deadline means for an approval. */
export function endAtDeadline({ onTimeout }: AskedApproval): ApprovalEnd {
  const decides = onTimeout === 'approve' || onTimeout === 'reject';
  return { ...(decides && { decision: onTimeout }), data: null, timedOut: true };
}

/**
 * What comes of the step.
 *
 * @param at milliseconds since the epoch
 */
export function outcomeOfApproval(asked: AskedApproval, end: ApprovalEnd, at: number): Result<Json> {
  const { decision, data, by = null } = end;
  if (decision === undefined) return outcomeWithoutDecision(asked);
  if (decision === 'reject' && asked.onReject === 'fail') return fail(rejected(end));
  return ok({ decision, data, by, at: isoOf(at) });
}

function outcomeWithoutDecision({ onTimeout }: AskedApproval): Result<Json> {
  return typeof onTimeout === 'object' ? ok(onTimeout.output) : fail(timedOut());
}

function rejected({ data, by, timedOut: late }: ApprovalEnd): Failure {
  const message = late ? 'nobody answered in time, which counts as a rejection' : 'the approval was rejected';
  const details = { data, ...(by === undefined ? {} : { by }) };
  return failureOf(runErrors['approval.rejected'], message, { details });
}

function timedOut(): Failure {
  return failureOf(runErrors['approval.timed-out'], 'nobody answered the approval in time');
}
