/**
 * What comes of the units that a unit holds.
 *
 * Decided here: tolerance of failed items, the outcome of a unit from what it held. Decided elsewhere: the output of a
 * body, which has to be evaluated (evaluate.ts); when a unit is closed (evolve.ts, plan.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import type { CompiledForEach, CompiledRepeat } from '../../workflows/domain/graph.js';
import type { Contents, Kept } from './kept.js';
import { runErrors } from './run.errors.js';
import type { LoopNext } from './run.events.js';
import type { HeldItems, HeldIterations, Unit } from './unit.js';

/** How many failed items a failure lists. */
const MAX_LISTED = 20;

/** How many items may fail before the step does: the larger of the two tolerances. */
export function toleratedFailures(
  { toleratedFailureCount, toleratedFailurePercentage }: CompiledForEach,
  total: number,
): number {
  return Math.max(toleratedFailureCount, Math.floor((total * toleratedFailurePercentage) / 100));
}

/** True when more items have failed than the step tolerates. */
export function isBeyondTolerance({ step: { forEach } }: Unit, { failed, total }: HeldItems): boolean {
  return forEach !== undefined && failed.length > toleratedFailures(forEach, total);
}

/** The outputs of all items in the order of the list; null for one that failed. Or that too many failed. */
export function outcomeOfItems(unit: Unit, held: HeldItems, contents: Contents): Result<Json> {
  if (isBeyondTolerance(unit, held)) return fail(thresholdExceeded(held));
  const outputOf = (number: number): Json => contents.read(held.ended.get(number)?.output ?? null);
  return ok(Array.from({ length: held.total }, (_, number) => outputOf(number)));
}

/** The output of the last iteration, or why the repetition failed. */
export function outcomeOfIterations({ step }: Unit, { ended, next }: HeldIterations): Result<Kept> {
  const last = ended.at(-1);
  if (last?.failure !== undefined && last.status === 'failed') return fail(last.failure);
  const output = last?.output ?? null;
  if (next !== 'exhausted' || step.repeat?.onExhausted === 'continue') return ok(output);
  return fail(loopExhausted(step.repeat, ended.length));
}

/**
 * How a step goes on after an iteration has completed. Without a condition it is done after its last iteration.
 *
 * @param holds whether the condition `until` holds
 * @param now milliseconds since the epoch
 */
export function nextAfter(iteration: Unit, holds: boolean, now: number): LoopNext {
  if (holds) return 'done';
  const { number, holder, step } = iteration;
  const { until, maxIterations = 0, maxDurationMs } = step.repeat ?? {};
  if (number + 1 >= maxIterations) return until === undefined ? 'done' : 'exhausted';
  const endsAt = (holder?.firstStartedAt ?? now) + (maxDurationMs ?? Infinity);
  return now >= endsAt ? 'exhausted' : 'iteration';
}

function thresholdExceeded({ failed, total, ended }: HeldItems): Failure {
  const listed = failed.slice(0, MAX_LISTED).map((index): Json => {
    const failure = ended.get(index)?.failure;
    return { index, code: failure?.code ?? '', message: failure?.message ?? '' };
  });
  const first = ended.get(failed[0] ?? -1)?.failure;
  const message = `${failed.length} of ${total} items failed; the first: ${first?.message ?? ''}`;
  const details = { failed: failed.length, total, failures: listed };
  return failureOf(runErrors['map.threshold-exceeded'], message, {
    details,
    ...(first === undefined ? {} : { cause: first }),
  });
}

function loopExhausted(repeat: CompiledRepeat | undefined, iterations: number): Failure {
  const { maxIterations = 0, maxDurationMs } = repeat ?? {};
  const isOutOfTime = iterations < maxIterations;
  const within = isOutOfTime ? `${maxDurationMs ?? 0} ms` : `${maxIterations} iterations`;
  return failureOf(runErrors['loop.exhausted'], `the condition did not hold within ${within}`, {
    details: { iterations, maxIterations, ...(maxDurationMs === undefined ? {} : { maxDurationMs }) },
  });
}
