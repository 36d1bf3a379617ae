/** The columns of a run row, derived from the state, so lists never fold logs. */
import type { RunState } from './run.state.js';
import type { RunStatus } from './run.status.js';

/** The columns of the run row that follow from its log, so lists never fold logs. */
export interface RunSummary {
  readonly status: RunStatus;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly stepsTotal: number;
  readonly stepsCompleted: number;
  readonly stepsFailed: number;
  readonly stepsSkipped: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costMicros: number;
  readonly failureCode?: string;
  /** What people are told of the failure, at most 1,000 characters, for searching. */
  readonly failureMessage?: string;
  /**
   * When the run next wants to be looked at, in milliseconds since the epoch; absent when nothing is due. On a row
   * that was read it is the row's own `wake_at`, which inbox, lease and parking change as well.
   */
  readonly wakeAt?: number;
}

/**
 * The summary of a state.
 *
 * @param wakeAt when the run next wants to be looked at, in milliseconds since the epoch
 */
export function summaryOf(state: RunState, wakeAt: number | undefined): RunSummary {
  const { usage } = state;
  const { counts, units } = state.root;
  return {
    status: state.status,
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    ...(state.endedAt === undefined ? {} : { endedAt: state.endedAt }),
    stepsTotal: units.length,
    stepsCompleted: counts.completed,
    stepsFailed: counts.failed,
    stepsSkipped: counts.skipped,
    inputTokens: usage.inputTokens ?? 0,
    outputTokens: usage.outputTokens ?? 0,
    costMicros: state.costMicros,
    ...(state.failure === undefined
      ? {}
      : { failureCode: state.failure.code, failureMessage: searchable(state.failure.message) }),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

const MAX_MESSAGE_LENGTH = 1_000;

/** The beginning of a message as every database can keep it: well-formed, without U+0000. */
function searchable(message: string): string {
  return message.slice(0, MAX_MESSAGE_LENGTH).replaceAll('\0', '').toWellFormed();
}
