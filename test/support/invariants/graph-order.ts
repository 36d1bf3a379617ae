/** I5: a step begins, or is left out, only after its dependencies have ended, and as its join says. */
import type { RunEvent } from '../../../src/runs/domain/run.events.js';
import type { RunEvidence, Violation } from './evidence.js';
import type { PlacedStep, StepIndex } from './step-index.js';
import { endOf, unitEvents, type UnitEnd } from './unit-history.js';

/** Checks the first event of every step against how those before it have ended. */
export function checkOrder({ runId, events }: RunEvidence, index: StepIndex): readonly Violation[] {
  const ends = new Map<string, UnitEnd>();
  const seen = new Set<string>();
  const endingFrom = events.find(({ type }) => type === 'run.ending')?.seq ?? Infinity;
  const violations: Violation[] = [];
  for (const placed of unitEvents(events)) {
    const { path, event } = placed;
    const end = endOf(placed);
    // Of a step that was about to begin only the end may be there, together with what is around it.
    if (event.type.startsWith('step.') && !seen.has(path) && end !== 'cancelled') {
      seen.add(path);
      const step = index.at(path);
      const message = problemOf({ event, step, ends, index, isEnding: event.seq > endingFrom });
      if (message !== undefined)
        violations.push({ invariant: 'I5', runId, path, message: `${event.type}: ${message}` });
    }
    if (end !== undefined) ends.set(path, end);
  }
  return violations;
}

interface Beginning {
  readonly event: RunEvent;
  readonly step: PlacedStep;
  readonly ends: ReadonlyMap<string, UnitEnd>;
  readonly index: StepIndex;
  readonly isEnding: boolean;
}

function problemOf({ event, step, ends, index, isEnding }: Beginning): string | undefined {
  if (step.isCompensation || (step.step.isLast && step.scope === ''))
    return isEnding ? undefined : 'it comes last, and the end of the run is not decided';
  const dependencies = index.dependenciesOf(step);
  const open = dependencies.filter((path) => !ends.has(path));
  if (open.length > 0) return `${open.join(', ')} has not ended`;
  const counts = countsOf(dependencies.map((path) => ends.get(path)));
  const caught = index.caughtBy(step);
  const hasNothingToCatch = caught.length > 0 && caught.every((path) => !hasFailed(ends.get(path)));
  const isJoined = dependencies.length === 0 || isSatisfied(step.step.join, counts, dependencies.length);
  return problemOfStart(event, !hasNothingToCatch && isJoined);
}

function problemOfStart(event: RunEvent, mayRun: boolean): string | undefined {
  if (event.type !== 'step.skipped') return mayRun ? undefined : 'its join does not hold';
  const { reason } = event.data;
  if (reason === 'condition-false')
    return mayRun ? undefined : 'its condition was asked before its join held';
  return mayRun ? `skipped for ${reason}, though its join holds` : undefined;
}

type Counts = { readonly [E in UnitEnd]: number };

function countsOf(ends: readonly (UnitEnd | undefined)[]): Counts {
  const count = (wanted: UnitEnd): number => ends.filter((end) => end === wanted).length;
  return {
    completed: count('completed'),
    'handled-failure': count('handled-failure'),
    failed: count('failed'),
    skipped: count('skipped'),
    cancelled: count('cancelled'),
  };
}

function hasFailed(end: UnitEnd | undefined): boolean {
  return end === 'failed' || end === 'handled-failure';
}

/** Joins as the product promises them, written a second time. */
function isSatisfied(join: PlacedStep['step']['join'], counts: Counts, total: number): boolean {
  switch (join) {
    case 'all_settled':
      return true;
    case 'all_completed':
      return counts.completed === total;
    case 'any_completed':
      return counts.completed > 0;
    case 'none_failed':
      return (
        counts.failed === 0 && counts.cancelled === 0 && counts.completed + counts['handled-failure'] > 0
      );
  }
}
