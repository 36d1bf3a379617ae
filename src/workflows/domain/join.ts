/**
 * Whether a step runs, once its dependencies have ended.
 *
 * Decided here: the table of joins. Decided elsewhere: when a dependency counts as settled and how (runs/domain),
 * conditions (`when`), which are looked at afterwards.
 */
import type { Join } from './definition.schema.js';

/** How the dependencies of a step ended; what is missing to `total` has not ended yet. */
export interface JoinCounts {
  readonly total: number;
  readonly completed: number;
  /** Failed, and the definition lets the run go on; the output reads as null. */
  readonly handledFailures: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
}

export type JoinDecision = 'run' | 'skip' | 'wait';

/**
 * What becomes of a step.
 *
 * `wait` until every dependency has settled; a step without dependencies runs. Then, by join:
 * - `none_failed`: runs when none failed or was cancelled and at least one completed. A failure that is handled
 *   counts as completed. So branches that were skipped merge naturally, and all skipped means skipped.
 * - `all_completed`: runs when every one completed; a handled failure did not.
 * - `any_completed`: runs when at least one completed; a handled failure did not.
 * - `all_settled`: always runs.
 */
export function decideJoin(join: Join, counts: JoinCounts): JoinDecision {
  const { total, completed, handledFailures, failed, skipped, cancelled } = counts;
  if (completed + handledFailures + failed + skipped + cancelled < total) return 'wait';
  return total === 0 || isSatisfied(join, counts) ? 'run' : 'skip';
}

function isSatisfied(
  join: Join,
  { total, completed, handledFailures, failed, cancelled }: JoinCounts,
): boolean {
  switch (join) {
    case 'none_failed':
      return failed + cancelled === 0 && completed + handledFailures > 0;
    case 'all_completed':
      return completed === total;
    case 'any_completed':
      return completed > 0;
    case 'all_settled':
      return true;
  }
}
